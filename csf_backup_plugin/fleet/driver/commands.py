"""The commands of a fleet's jobs, as words; the keys of a section become options."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import COPY, DRILL, ROTATE, STATUS, VERIFY
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.job import NEWEST
from csf_backup_plugin.fleet.rotation import rotation_of
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.schedule.lines import rotate_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from csf_backup_plugin.fleet.repository import FleetRepository
    from csf_backup_plugin.image.path import ImagePath

#: The actions of a fleet, each with the command that it runs for a repository.
ACTIONS = {"rotate": ROTATE, "verify": VERIFY, "drill": DRILL, "copy": COPY}
#: The options that only the driver gives; the user may not.
OWN = ("-database", "-image-dir", "-image-file", "-last-good", "-to", "-json", "-run-id", "-yes")


class Command(NamedTuple):
    """The command of a job.

    Attributes:
        words: the words after csf's name: the command's name and its options.
        about: a directory that distinguishes it from the repository's other commands; empty if
            there are none.
        directories: the directories that it reads and writes, as ``latest`` of each.
        newest: as in `job.JobSpec`.
    """

    words: tuple[str, ...]
    about: str
    directories: tuple[ImagePath, ...]
    newest: tuple[str, ...] = ()


def commands(action: str, one: FleetRepository, given: Sequence[str]) -> list[Command]:
    """Return the commands of a repository; none if its section has nothing for the action.

    Args:
        action: one of `ACTIONS`.
        one: the repository.
        given: the options given for all jobs; they override the file.

    Raises:
        UsageError: a drill has no scratch directory.
    """
    names = {word.partition("=")[0].replace("--", "-", 1) for word in given}
    return [
        command._replace(words=(*_without(command.words, names), *given))
        for command in _MAKERS[action](one, names)
    ]


def _without(words: Sequence[str], names: set[str]) -> Iterator[str]:
    """Yield a command's words, without the named options and their values."""
    is_left_out = False
    for word in words:
        if word.startswith("-"):
            is_left_out = word in names
        if not is_left_out:
            yield word


def _rotate(one: FleetRepository, _names: set[str]) -> list[Command]:
    rotation = rotation_of(one, one.host)
    words = rotate_words(rotation, strict=one.strict, require_mount=one.require_mount)
    return [Command(tuple(words), "", one.image_dirs)]


def _verify(one: FleetRepository, _names: set[str]) -> list[Command]:
    return [
        Command((VERIFY, *_all_of(one, top)), _about(one.image_dirs, top), (top,))
        for top in one.image_dirs
    ]


def _drill(one: FleetRepository, names: set[str]) -> list[Command]:
    if one.scratch_dir is None and "-scratch-dir" not in names:
        raise UsageError(
            f"[{shown(one.name)}] has no scratch-dir, where a drill restores an image for trial.",
            "Add scratch-dir to the fleet file, or give -scratch-dir DIR after drill.",
        )
    scratch = () if one.scratch_dir is None else ("-scratch-dir", one.scratch_dir)
    return [
        Command(
            (DRILL, *_all_of(one, top), "-last-good", *scratch),
            _about(one.image_dirs, top),
            (top,),
        )
        for top in one.image_dirs
    ]


def _copy(one: FleetRepository, _names: set[str]) -> list[Command]:
    keep = () if one.copy_keep is None else ("-keep", str(one.copy_keep))
    newest = [STATUS, "-database", one.database]
    for top in one.image_dirs:
        newest += ["-image-dir", _directory(top)]
    return [
        Command(
            (COPY, "-image-file", NEWEST, "-to", _directory(to), *keep),
            _about(one.copy_to, to),
            (*one.image_dirs, to),
            tuple(newest),
        )
        for to in one.copy_to
    ]


_MAKERS: dict[str, Callable[[FleetRepository, set[str]], list[Command]]] = {
    "rotate": _rotate,
    "verify": _verify,
    "drill": _drill,
    "copy": _copy,
}


def _all_of(one: FleetRepository, top: ImagePath) -> tuple[str, ...]:
    return "-image-dir", _directory(top), "-database", one.repository.master


def _directory(top: ImagePath) -> str:
    return f"{top.host}:{top.directory}"


def _about(tops: Sequence[ImagePath], top: ImagePath) -> str:
    return _directory(top) if len(tops) > 1 else ""
