"""The lock and the manifest entry around csf's class_create."""

from __future__ import annotations

import contextlib
import os
import posixpath
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.advised_commands import add_command
from csf_backup_plugin.hosts.local.kinds import kind_of
from csf_backup_plugin.names import absolute, shown
from csf_backup_plugin.operations.lock_wait import lock_wait
from csf_backup_plugin.repository import new_database
from csf_backup_plugin.repository.lock_warnings import unlocked_warnings
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.repository.unfinished_restore import check_not_half_restored
from csf_backup_plugin.system_errors import HalfDone, reason, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host

_MOVED_AWAY = "A class that is created now would be moved away when that is repeated"


def creation(
    master_database: object, environ: Mapping[str, str], host: Host, warn: Callable[[str], None]
) -> Generator[None, str | None, str | None]:
    """Wrap one class's creation; see `recorded_creation`.

    Args:
        master_database: what csf has passed; if it is not a path, a warning is all that is done.
        environ: the environment, which may say how long to wait for the lock.
        host: this machine.
        warn: called with a sentence about what could not be done.

    Raises:
        UsageError: the environment does not say how long to wait; nothing was created.
        Exception: as from `recorded_creation`.
    """
    master = as_path(master_database)
    if master is None:
        warn(
            f"csf gives {described(master_database)} as the master database, which is not a "
            "path: its repository is not locked, and the class is not recorded"
        )
        return (yield)
    return (yield from recorded_creation(master, lock_wait(environ), host, warn))


def recorded_creation(
    master: str, wait: float, host: Host, warn: Callable[[str], None]
) -> Generator[None, str | None, str | None]:
    """Hold the repository's lock around a class's creation, and record the new database.

    This is a generator, as pluggy's wrappers are: it yields once, and csf creates the class there.

    Args:
        master: the master database's path; links in it are resolved.
        wait: how long to wait for a backup to release the lock, in seconds.
        host: this machine.
        warn: called with a sentence about a database that could not be recorded.

    Returns:
        What class_create returned, unchanged: the new database's path, unless csf differs from its
        contract.

    Raises:
        LockBusy: the lock is not free; nothing was created.
        RepositoryIncomplete: a restore has begun and not succeeded; nothing was created.
        Exception: class_create itself failed; nothing is recorded.
    """
    repository = Repository(os.path.realpath(master))
    with _own(warn) as own, contextlib.ExitStack() as stack:
        try:
            lock = stack.enter_context(host.lock(repository.lock, "class_create", wait, warn))
            for warning in unlocked_warnings(lock, repository):
                warn(warning)
        except FileNotFoundError:
            pass  # without a directory, no backup can be reading anything
        except OSError as error:
            warn(
                f"{shown(repository.lock)} cannot be locked ({reason(error)}): a backup that runs "
                "now will find that the databases have changed, and fail"
            )
        with translated(host.name):
            check_not_half_restored(repository, host, _MOVED_AWAY)
        try:
            path = yield
        except Exception as error:
            own.append(error)
            raise
        _record(repository, path, host, warn)
        return path


@contextlib.contextmanager
def _own(warn: Callable[[str], None]) -> Iterator[list[Exception]]:
    """Raise csf's own exception if `HalfDone` would replace it."""
    raised: list[Exception] = []
    try:
        yield raised
    except HalfDone as error:
        warn(error.left.removesuffix("."))
        raise next(iter(raised), error) from None


def as_path(value: Any) -> str | None:
    """Return the path that csf has passed, or None if it is not a path."""
    try:
        return os.fsdecode(value)
    except Exception:  # a foreign object may raise anything when asked for its path
        return None


def described(value: object) -> str:
    """Return a description, for messages, of a value that csf has passed.

    If it is not a path, only its type is named: an object's own text may have many lines, or fail.
    """
    path = as_path(value)
    if path is not None:
        return shown(path)
    return "None" if value is None else f"an object of type {shown(type(value).__name__)}"


def _record(
    repository: Repository, result: object, host: Host, warn: Callable[[str], None]
) -> None:
    """Record a database; the class exists, so an error here is only a warning."""
    path, found = as_path(result), None
    if path is None:
        warn(
            f"class_create returned {described(result)}, which is not a path: a class that it "
            f"created is not in the manifest {shown(repository.manifest)}. "
            f"{_consequence(repository, found, host)}"
        )
        return
    try:
        found = _database(repository, path)
        for warning in new_database.record(repository, found, host):
            warn(warning)
    except Exception as error:  # the class exists, so this must not fail
        warn(
            f"{shown(path)} was created, but is not in the manifest "
            f"{shown(repository.manifest)}: {reason(error)}. "
            f"{_consequence(repository, found, host)}"
        )
    else:
        if not posixpath.isabs(path):
            warn(
                f"class_create returned the relative path {shown(path)}; recorded is {shown(found)}"
            )


def _database(repository: Repository, path: str) -> str:
    """Return a new database's path, with its directory's path resolved.

    Raises:
        ValueError: no backup can name that path, or there is no such file.
    """
    try:
        plain = absolute(posixpath.join(repository.directory, path))
    except ValueError as error:
        raise ValueError(f"its path {error}") from None
    directory, name = posixpath.split(plain)
    if kind_of(plain)[0] != "file":
        raise ValueError(f"there is no such file ({shown(plain)})")
    return posixpath.join(os.path.realpath(directory), name)


def _consequence(repository: Repository, found: str | None, host: Host) -> str:
    """Return what it means for backups that a database is not recorded, and what to do."""
    if found is None:
        return (
            "A backup takes the files in the directory that have the master database's suffix; add "
            f"any other with {add_command(repository.master, host.name, ['PATH'])}"
        )
    with contextlib.suppress(Exception):  # the class exists, so this must not fail
        from csf_backup_plugin.repository.inventory import read_inventory

        now = read_inventory(repository, host)
        if found in now.coverage.paths and found not in now.ambiguous:
            return "The next backup will still find it in the directory."
    add = add_command(repository.master, host.name, [found])
    return f"No backup will find it there; add it: {add}"
