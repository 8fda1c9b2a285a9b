"""Find where the paths of a backup lead to, lock the repository, and look, all at once."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.operations.backup.locking import locked
from csf_backup_plugin.operations.backup.site import look_at_site
from csf_backup_plugin.operations.quiet.debt import finding_debt
from csf_backup_plugin.repository.location import locate, look_at_repository

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Facts
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.backup.site import Site
    from csf_backup_plugin.progress_listener import Listener

    _Looked = tuple[
        list[Facts], Callable[[], Facts], Callable[[], bytes | None], Callable[[], Site]
    ]


class Located(NamedTuple):
    """A repository that is locked.

    Attributes:
        request: the request, with resolved paths.
        lock: the repository's lock; None if there is none.
        debt: what `settle_debt` needs.
        site: returns what a backup depends on, or raises the error.
        warnings: why the lock does not keep others out, if it does not.
    """

    request: BackupRequest
    lock: Lock | None
    debt: Callable[[], bytes | None]
    site: Callable[[], Site]
    warnings: list[str]


def lock_and_look(
    request: BackupRequest, stack: contextlib.ExitStack, host: Host, listener: Listener
) -> Located:
    """Lock the repository until the stack is closed, and look at what a backup depends on.

    Named paths are mostly the resolved ones, so all of it is asked at once. The lock is not taken
    if a link leads to the master database; then all of it is asked again with the resolved paths.
    That is also done if a link was there only at the moment of the lock.

    Args:
        request: what to back up, and where to.
        stack: releases the lock when it is closed.
        host: the host to work on.
        listener: gets a note if the command has to wait, or if a path leads elsewhere.

    Raises:
        RepositoryNotFound: the path names no master database.
        LockBusy: another holder kept the lock.
    """
    beside = request.repository.master
    lock, (places, image, debt, site), warnings = _locked(request, beside, stack, host, listener)
    resolved = dataclasses.replace(
        request,
        repository=locate(request.repository, places, host, listener.note),
        image=locate_image(request.image, image(), listener.note),
    )
    is_missed = lock is None and not warnings and not request.dry_run
    if is_missed or resolved.repository != request.repository:
        lock, (_, _, debt, site), warnings = _locked(resolved, "", stack, host, listener)
    elif resolved != request:
        site = postponed(lambda: look_at_site(resolved, None, host))()
    return Located(resolved, lock, debt, site, warnings)


def _locked(
    request: BackupRequest,
    beside: str,
    stack: contextlib.ExitStack,
    host: Host,
    listener: Listener,
) -> tuple[Lock | None, _Looked, list[str]]:
    """Lock the repository as it is named, and look; see `locked`."""
    return locked(
        *(request.repository, request.wait, stack, host, listener),
        lambda: host.together(
            lambda: look_at_repository(request.repository, host),
            postponed(lambda: host.look([request.image.directory])[0]),
            finding_debt(request.repository, host),
            postponed(lambda: look_at_site(request, None, host)),
        ),
        create=not request.dry_run,
        beside=beside,
    )
