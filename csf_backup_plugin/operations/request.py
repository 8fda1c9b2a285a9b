"""Parts of requests that several commands share: repository and directories."""

from __future__ import annotations

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import split_host
from csf_backup_plugin.names import absolute, command, shown
from csf_backup_plugin.repository.model import Repository

DATABASE = "-database"


def parse_repository(master: str, called: str = DATABASE) -> Repository:
    """Return the repository of the master database that the user named.

    Args:
        master: what the user wrote.
        called: the name of the option or key, for the message.

    Raises:
        UsageError: `master` is not an absolute path to a file.
    """
    try:
        return Repository(absolute(master, longest_suffix=".unfinished-restore"))
    except ValueError as error:
        raise UsageError(
            f"{called} {shown(master)!r} {error}.",
            f"Give {called} as an absolute path, such as /databases/master.db.",
        ) from None


def parse_database(text: str, called: str = DATABASE) -> tuple[str, Repository]:
    """Read HOST:MASTER; return host and repository.

    Args:
        text: what the user wrote.
        called: the name of the option or key, for the message.

    Raises:
        UsageError: `text` is not of that form.
    """
    example = f"Give {called} as HOST:MASTER, such as localhost:/databases/lib.db."
    host, master = split_host(text, called, example)
    return host, parse_repository(master, called)


def parse_scratch(directory: str, called: str = "-scratch-dir") -> str:
    """Return the directory that the user named for drills.

    Args:
        directory: what the user wrote.
        called: the name of the option or key, for the message.

    Raises:
        UsageError: it is not an absolute path, or it is ``/``.
    """
    try:
        return absolute(directory.rstrip("/") or directory)
    except ValueError as error:
        raise UsageError(
            f"{called} {shown(directory)!r} {error}.",
            f"Give {called} as an absolute path other than /, such as /var/tmp.",
        ) from None


def check_one_of(image: str | None, directory: str | None, name: str) -> None:
    """Check that either an image or a directory of images was given, and not both.

    Args:
        image: the image, if one was given.
        directory: the directory, if one was given.
        name: the command's name.

    Raises:
        UsageError: both were given, or neither.
    """
    if (image is None) == (directory is None):
        what = (
            "Missing option -image-file or -image-dir."
            if image is None
            else "-image-file and -image-dir were given, and only one of the two can be."
        )
        raise UsageError(
            what,
            "Give -image-file HOST:PATH for one image, or -image-dir HOST:DIR for those of a "
            f"directory. See {command('csf', name, '-help')}.",
        )
