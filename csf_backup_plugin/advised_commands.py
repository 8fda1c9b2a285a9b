"""The commands that messages advise, ready to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin import command_names
from csf_backup_plugin.names import command
from csf_backup_plugin.system_errors import is_about

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_MANY = 10  # how many paths are too many to type

#: Commands that are only named, or whose options the reader must fill in.
BACKUP_HELP = command("csf", command_names.BACKUP, "-help")
PLAIN_PROVE = command("csf", command_names.PROVE)
PLAIN_MANIFEST = command("csf", command_names.MANIFEST)
COPIED_THERE = f"{PLAIN_MANIFEST} -database MASTER -rebuild -copied"


def backup_command(master: str, image: str) -> str:
    """Return the command that backs up a repository. Here and below, an image is HOST:PATH."""
    return command("csf", command_names.BACKUP, "-database", master, "-image-file", image)


def prove_command(image: str) -> str:
    """Return the command that gives an image its receipt."""
    return command("csf", command_names.PROVE, "-image-file", image)


def verify_command(image: str, master: str | None = None) -> str:
    """Return the command that verifies an image; ``latest`` means that of the repository."""
    words = [] if master is None else ["-database", master]
    return command("csf", command_names.VERIFY, "-image-file", image, *words)


def copy_command(image: str, to: str) -> str:
    """Return the command that copies an image to a directory, HOST:DIR."""
    return command("csf", command_names.COPY, "-image-file", image, "-to", to)


def drill_command(image: str) -> str:
    """Return the command that drills an image; the reader fills in a scratch directory."""
    return f"{command('csf', command_names.DRILL, '-image-file', image)} -scratch-dir DIR"


def restore_command(master: str, image: str, *options: str) -> str:
    """Return the command that restores a repository."""
    words = ("-database", master, "-image-file", image, *options)
    return command("csf", command_names.RESTORE, *words)


def fleet_status_command(path: str) -> str:
    """Return the command that shows the status of every repository of a fleet file."""
    return command("csf", command_names.STATUS, "-fleet", path)


def list_by_hand(path: str) -> str:
    """Return the command that shows what is in an image, by its path on its host."""
    return command("osrestore", "-t", "-f", path)


def restore_by_hand(path: str) -> str:
    """Return the command that restores an image to places that the reader fills in."""
    return f"{command('osrestore', '-f', path)} SOURCE TARGET ..."


def manifest_command(master: str, host: str, *words: str) -> str:
    """Return the command that shows a repository's manifest, or with more options changes it."""
    return command("csf", command_names.MANIFEST, "-database", master, "-host", host, *words)


def rebuild_command(master: str, host: str, *words: str) -> str:
    """Return the command that rebuilds the manifest."""
    return manifest_command(master, host, "-rebuild", *words)


def drop_command(master: str, host: str, paths: Collection[str]) -> str:
    """Return the command that drops databases from the manifest."""
    return _for_each("-drop", master, host, paths)


def add_command(master: str, host: str, paths: Collection[str]) -> str:
    """Return the command that adds databases to the manifest."""
    return _for_each("-add", master, host, paths)


def drop_missing_command(master: str, host: str, paths: Collection[str]) -> str:
    """Return the command that drops missing databases; if they are many, one that drops all."""
    if len(paths) > _MANY:
        return rebuild_command(master, host)
    return drop_command(master, host, paths)


def drop_and_copied_commands(master: str, host: str, paths: Collection[str]) -> str:
    """Return the commands that drop databases from a copy's manifest and give it its own id."""
    if len(paths) > _MANY:
        copied = rebuild_command(master, host, "-copied")
        return f"{drop_command(master, host, paths)}\nand then: {copied}"
    return rebuild_command(master, host, "-copied", *_each("-drop", paths))


def _for_each(option: str, master: str, host: str, paths: Collection[str]) -> str:
    """Return a command with an option for each path; of many, one that reads them from a file."""
    if len(paths) <= _MANY:
        return manifest_command(master, host, *_each(option, paths))
    typed = manifest_command(master, host)
    return (
        f"sed 's/^/{option}\\n/' FILE | xargs -d '\\n' -n 1000 {typed}\n"
        f"  where FILE has the paths of all {len(paths):,}, one a line; -json lists them"
    )


def _each(option: str, paths: Iterable[str]) -> list[str]:
    return [word for path in paths for word in (option, path)]


def not_run(error: OSError, program: str) -> str:
    """Return what to do if a utility could not be run; the utility itself may not be at fault."""
    if is_about(error, program):
        return "Check that it is a program that this user may run."
    return "Fix that, and run the same command again."
