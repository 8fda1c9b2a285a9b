"""Leftovers of killed rotations: prove them if osbackup has succeeded, else remove them.

No other set without a receipt is touched. The repository's lock is held, so none of its backups
runs. But a copy of the repository has the same id, and another machine may have a repository of its
own at the same path.
"""

from __future__ import annotations

import datetime
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import BackupError, HostUnreachable, Interrupted, LockBusy
from csf_backup_plugin.hosts.cleanup import clean_up_record
from csf_backup_plugin.hosts.common import ABANDONED
from csf_backup_plugin.image import run_note
from csf_backup_plugin.image.place import PLACES, is_set_name
from csf_backup_plugin.image.run_record import is_at_work, problem_if_ended, read_record
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.prove import prove_locked
from csf_backup_plugin.operations.prove.conditions import imported
from csf_backup_plugin.operations.rotate.history import own_sets, removable
from csf_backup_plugin.system_errors import reason, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.catalog import Catalog, ImageSet, Skipped
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.image.run_note import Note
    from csf_backup_plugin.image.run_record import RunRecord
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.manifest import Manifest


class Leftover(NamedTuple):
    """A set without a receipt that a backup of the repository has left in a place.

    Attributes:
        image: the set's image.
        note: the note in its run record.
    """

    image: ImagePath
    note: Note


def find_leftovers(
    site: Site, recorded: Manifest | None, catalog: Catalog, host: Host
) -> list[Leftover]:
    """Return the leftovers of killed runs; read all notes at once.

    Args:
        site: the host, the repository and the image directories.
        recorded: what the repository's manifest says; None if there is none.
        catalog: the images in the image directories and their places.
        host: the host to work on.
    """
    unproven = [
        one
        for one in catalog.skipped
        if not (one.has_receipt or one.is_removed or one.is_copy)
        and posixpath.basename(one.image.directory) in PLACES
    ]
    read = host.read_each(run_note.path(one.image) for one in unproven) if unproven else []
    notes = map(run_note.decode, read)
    return [
        Leftover(one.image, note)
        for one, note in zip(unproven, notes, strict=True)
        if _is_ours(one, note, site, recorded, catalog)
    ]


def _is_ours(
    one: Skipped, note: Note, site: Site, recorded: Manifest | None, catalog: Catalog
) -> bool:
    """Return whether a set is the repository's, by its note, its number, or its import file."""
    image, identity = one.image, recorded.identity if recorded else None
    master = site.request.repository.master
    if one.master == master and note.id:
        is_here = (note.machine_id, note.machine) == (site.machine.id, site.machine.name)
        return is_here and identity is not None and note.id == identity.id
    if one.master == master and recorded and image.path in recorded.backups:
        return True
    is_claim = image.path not in catalog.entries
    if not (is_claim and is_set_name(posixpath.basename(image.path), master)):
        return False
    if one.master == master:
        return not _is_shared(site, recorded, catalog)
    # An import file is empty for a moment, in any repository's backup.
    return catalog.entries[image.import_file].size == 0 and _is_old(one.modified, site.machine)


def _is_shared(site: Site, recorded: Manifest | None, catalog: Catalog) -> bool:
    """Return whether another repository at the same path, as on another machine, has sets here."""
    identity, master = recorded.identity if recorded else None, site.request.repository.master
    own = own_sets(catalog, identity, site.machine, site.request.repository)
    return any(one.receipt.master == master and one not in own for one in catalog.sets)


def _is_old(modified: float, machine: Machine) -> bool:
    """Return whether a file is old; one from the far future counts, since a clock was wrong."""
    return abs(datetime.datetime.fromisoformat(machine.now).timestamp() - modified) > ABANDONED


def settle(
    leftovers: list[Leftover],
    site: Site,
    lock: Lock | None,
    judged: Callable[[Receipt], Receipt],
    done: list[str],
    host: Host,
    listener: Listener,
) -> dict[str, ImagePath]:
    """Prove or remove each leftover.

    Args:
        leftovers: as `find_leftovers` returns them.
        site: the host, the repository and the image directories.
        lock: the repository's lock; without a working one, other runs may be writing the leftovers.
        judged: returns a receipt with its suspicions added.
        done: gets what was done with each leftover, as a part of a sentence.
        host: the host to work on.
        listener: gets the progress of a proof.

    Returns:
        The images that were proven, by the id of the run that began them.

    Raises:
        LockBusy: an osbackup of the repository is still running.
        HostUnreachable, Interrupted: the connection was lost, or a signal has come.
    """
    proven: dict[str, ImagePath] = {}
    is_alone = lock is not None and not lock.unsupported
    for one in leftovers:
        try:
            with translated(host.name):
                record = read_record(one.image, host)
                if is_at_work(record, host):
                    raise _busy(one, record, host)
                if not (record.problem or record.running):
                    done.append(_proven(one, site, judged, proven, host, listener))
                elif is_alone:
                    done.append(_removed(one, record, host))
                else:
                    done.append(
                        f"{one.image} has no receipt, and stays: the repository cannot be locked"
                    )
        except LockBusy:
            raise
        except (HostUnreachable, Interrupted):
            done.append(f"{one.image}, left by a run that was killed, may be removed or proven")
            raise
        except BackupError as error:
            why = reason(error)
            done.append(f"{one.image} was left by a run that was killed, and stays: {why}")
    return proven


def _busy(one: Leftover, record: RunRecord, host: Host) -> LockBusy:
    return LockBusy(
        f"{record.running} is still running on {host.name}, and writes {one.image}.",
        "Wait until it has ended, and run the same command again: it proves that image.",
    )


def _proven(
    one: Leftover,
    site: Site,
    judged: Callable[[Receipt], Receipt],
    proven: dict[str, ImagePath],
    host: Host,
    listener: Listener,
) -> str:
    databases = imported(one.image, host)
    proof = prove_locked(one.image, databases, site.machine, host, listener, judged)
    if proof.receipt.placement:
        proven[proof.receipt.placement.run_id] = one.image
    return f"{one.image} was left by a run that was killed, and is proven now"


def _removed(one: Leftover, record: RunRecord, host: Host) -> str:
    """Remove a set that can never be proven; last its import file, by which a run finds it."""
    image = one.image
    host.remove_trees([image.path, image.run, image.import_file], mine=False)
    why = problem_if_ended(record, image)
    return f"{image} was left by a run that was killed, and was removed: {why}"


def clean_up_records(listed: Catalog, own: Sequence[ImageSet], site: Site, host: Host) -> list[str]:
    """Remove run records left beside proven sets by killed runs; return what was done.

    Args:
        listed: the images in the image directories.
        own: the repository's sets.
        site: the host, the repository and the image directories.
        host: the host to work on.
    """
    done = []
    for one in own:
        run = one.image.run
        if run in listed.entries and not removable(one, site.machine, site.request.repository):
            left = f"{shown(run)} was left by a run that was killed, and was removed"
            done += clean_up_record(run, host) or [left]
    return done
