"""The recovery card: how to restore databases from a directory's images, also by hand.

It is the file ``RESTORE.txt`` beside the images, in case everything else is lost. It is written
from the current receipts, under a lock of its own: if two runs end at the same time, the later one
finds the other's receipt. If a card cannot be written, that is only a warning, and the old one
stays.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, Interrupted, LockBusy
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.hosts.protocol.steps import Release, Replace
from csf_backup_plugin.image.catalog import read_catalog
from csf_backup_plugin.image.last_checks import read_last_checks
from csf_backup_plugin.image.place import beside_places
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.recovery_card.sections import by_section
from csf_backup_plugin.operations.recovery_card.text import MARK, card
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath

CARD = "RESTORE.txt"
_LOCK = ".csf-card.lock"
_WAIT = 10.0  # seconds to wait for another run, which holds the lock only briefly


def write_cards(images: Iterable[ImagePath], host: Host) -> list[str]:
    """Write the card of each image's directory; for a place, that of its parent directory.

    Args:
        images: the images, with resolved paths; they may have been removed.
        host: the host to work on.

    Returns:
        A warning for each card that could not be written.
    """
    tops = {top.directory: top for top in map(beside_places, images)}
    return [warning for top in tops.values() for warning in _written(top, host)]


def _written(top: ImagePath, host: Host) -> list[str]:
    """Write the card of a directory; return a warning if it cannot be written."""
    path, lock = (posixpath.join(top.directory, name) for name in (CARD, _LOCK))
    look = postponed(
        lambda: host.together(
            lambda: read_catalog(top, host), host.machine, lambda: host.read(path)
        )
    )
    try:
        with (
            translated(host.name),
            host.lock_and_look(lock, "the recovery card", _WAIT, lambda _waiting: None, look) as (
                held,
                found,
            ),
        ):
            replaced, *_ = host.in_turn(
                Replace(path, _text(top, *found(), host)), *([Release(held)] if held else [])
            )
            replaced()
    except LockBusy:
        why = f"another command has held {shown(lock)} for {_WAIT:g} s"
    except Interrupted:
        why = "a signal asked the command to end"
    except BackupError as error:
        why = error.what.removesuffix(".")
    else:
        return []
    return [f"the recovery card {shown(path)} was not written: {why}"]


def _text(
    top: ImagePath, catalog: Catalog, machine: Machine, before: bytes | None, host: Host
) -> bytes:
    """Return the card of a directory.

    Args:
        top: its ``latest``.
        catalog: the images in the directory.
        machine: the host, and its clock.
        before: the contents of the existing card; None if there is none.
        host: the host to work on.

    Raises:
        BackupError: the existing file is not a recovery card.
    """
    if before is not None and not before.startswith(MARK):
        raise BackupError(
            "that file is none of ours, and was left as it is. Move it away; the next backup "
            "writes the card",
            "",
        )
    checks = read_last_checks(catalog.sets, catalog, host)
    sections = by_section(catalog.sets, checks)
    unusable = [str(one) for one in catalog.skipped if one.has_receipt]
    return card(top.directory, machine, sections, unusable)
