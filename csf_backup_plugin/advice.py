"""The commands that messages advise, ready to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import command

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from csf_backup_plugin.repository import Repository

_MANY = 10  # paths, too many to be typed


def manifest_command(repository: Repository, host: str, *words: str) -> str:
    """Return the command that shows a repository's manifest, or with more words changes it."""
    return command(
        "csf", "admin_database_manifest", "-database", repository.master, "-host", host, *words
    )


def rebuild_command(repository: Repository, host: str, *words: str) -> str:
    """Return the command for a new manifest."""
    return manifest_command(repository, host, "-rebuild", *words)


def drop_command(repository: Repository, host: str, paths: Iterable[str]) -> str:
    """Return the command that drops databases from the manifest."""
    return manifest_command(repository, host, *_each("-drop", paths))


def add_command(repository: Repository, host: str, paths: Iterable[str]) -> str:
    """Return the command that adds databases to the manifest."""
    return manifest_command(repository, host, *_each("-add", paths))


def drop_missing_command(repository: Repository, host: str, paths: Collection[str]) -> str:
    """Return the command that drops databases that are not on disk: all such, if they are many."""
    if len(paths) > _MANY:
        return rebuild_command(repository, host)
    return drop_command(repository, host, paths)


def _each(option: str, paths: Iterable[str]) -> list[str]:
    return [word for path in paths for word in (option, path)]
