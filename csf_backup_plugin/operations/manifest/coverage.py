"""Compare the databases on disk, in the manifest, and in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import MANIFEST
from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.meant import look, meant
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.wanted_repository import check_image_of
from csf_backup_plugin.repository.completeness import check_apart
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.location import locate, look_at_repository
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.model import Repository


class ThreeWay(NamedTuple):
    """The databases on disk, in the manifest, and in an image.

    Attributes:
        found: the databases on disk and in the manifest.
        machine: the host, and its clock.
        imaged: the paths in the image; None if no image was given.
        stray: the paths in the image that are on disk but do not belong to the repository.
        problem: why the repository cannot be distinguished from another one; None if it can.
        warnings: what was skipped in the search for the image.
    """

    found: Inventory
    machine: Machine
    imaged: frozenset[str] | None
    stray: frozenset[str]
    problem: WrongRepository | None
    warnings: tuple[str, ...]

    @property
    def differences(self) -> dict[str, tuple[str, ...]]:
        """The paths that are not in all three, by what is wrong."""
        on_disk = self.found.coverage.paths
        imaged = frozenset(on_disk) if self.imaged is None else self.imaged
        return {
            "not in the manifest": self.found.coverage.unlisted,
            "in the manifest and not on disk": self.found.coverage.missing,
            "not readable as a file": self.found.unreachable,
            "not in the image": tuple(path for path in on_disk if path not in imaged),
            "in the image and not on disk": tuple(
                sorted(imaged.difference(on_disk, self.found.unreachable, self.stray))
            ),
            "in the image, on disk, and not in the manifest": tuple(sorted(self.stray)),
        }

    @property
    def agrees(self) -> bool:
        """Whether every database is in all three, and certainly belongs to this repository."""
        recorded = self.found.recorded
        torn = bool(recorded and recorded.cut_short)
        return not (any(self.differences.values()) or self.problem or torn)


def cover(
    named: Repository, image: ImagePath | None, wait: float, host: Host, listener: Listener
) -> ThreeWay:
    """Find the databases on disk, in the manifest, and in an image; change nothing.

    Args:
        named: the repository, as the user named it.
        image: one of its images, with a receipt; None to compare no image.
        wait: how long to wait for the repository's lock, in seconds, so that an unfinished
            class_create is not reported as a difference.
        host: the host to work on.
        listener: gets a note if the command has to wait.

    Raises:
        BackupError: a directory or a file cannot be read.
        WrongRepository: the image belongs to another repository.
    """
    with translated(host.name):
        places, machine = host.together(lambda: look_at_repository(named, host), host.machine)
        repository = locate(named, places, host, listener.note)
        with host.lock_and_look(
            *(repository.lock, MANIFEST, wait, listener.note),
            lambda: host.together(
                postponed(lambda: read_inventory(repository, host)),
                postponed(lambda: look(image, repository, host) if image else None),
            ),
            create=False,
        ) as (_, (inventory, look_for_image)):
            found, looked = inventory(), look_for_image()
            imaged: frozenset[str] | None = None
            warnings: tuple[str, ...] = ()
            if looked is not None:
                chosen, contents = meant(looked, host, listener.note)
                receipt = read_receipt(contents, host)
                check_image_of(looked.wanted, chosen.image, receipt)
                imaged = frozenset(map(repository.path_of, receipt.names))
                warnings = (*chosen.findings, *chosen.warnings)
            stray = _on_disk((imaged or frozenset()).difference(found.coverage.paths), host)
    return ThreeWay(found, machine, imaged, stray, _problem(found), warnings)


def _on_disk(paths: Iterable[str], host: Host) -> frozenset[str]:
    listed = sorted(paths)
    looked = zip(listed, host.stat(listed) if listed else [], strict=True)
    return frozenset(path for path, facts in looked if facts.kind == "file")


def _problem(found: Inventory) -> WrongRepository | None:
    try:
        check_apart(found)
    except WrongRepository as error:
        return error
    return None
