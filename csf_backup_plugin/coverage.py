"""Coverage three ways: databases on disk, in the manifest, and in an image, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import UsageError, translated
from csf_backup_plugin.latest import resolve
from csf_backup_plugin.names import shown
from csf_backup_plugin.proven import read_receipt
from csf_backup_plugin.rebuild import PURPOSE
from csf_backup_plugin.survey import check_master, survey

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.repository import Repository
    from csf_backup_plugin.survey import Survey
    from csf_backup_plugin.watcher import Watcher


class ThreeWay(NamedTuple):
    """Which databases are where.

    Attributes:
        found: those on disk and in the manifest.
        imaged: the paths in the image; None where none was given.
    """

    found: Survey
    imaged: frozenset[str] | None

    @property
    def differences(self) -> dict[str, tuple[str, ...]]:
        """The paths that are not everywhere, by where they are not or should not be."""
        on_disk = self.found.coverage.paths
        imaged = frozenset(on_disk) if self.imaged is None else self.imaged
        return {
            "not in the manifest": self.found.coverage.unlisted,
            "in the manifest and not on disk": self.found.coverage.missing,
            "not readable as a file": self.found.unreachable,
            "not in the image": tuple(path for path in on_disk if path not in imaged),
            "in the image and not on disk": tuple(sorted(imaged.difference(on_disk))),
        }

    @property
    def agrees(self) -> bool:
        """Whether every database is everywhere."""
        return not any(self.differences.values())


def cover(
    repository: Repository, image: ImagePath | None, wait: float, host: Host, watcher: Watcher
) -> ThreeWay:
    """Find out which databases are where; nothing is changed.

    Args:
        repository: whose databases.
        image: one of its images, with a receipt; None to leave images out.
        wait: how long to wait for the repository's lock, in seconds: what a class_create has half
            done is no difference.
        host: where all of them are.
        watcher: told of a wait.

    Raises:
        BackupError: something cannot be read.
        UsageError: the image is another repository's.
    """
    with translated(host.name):
        check_master(repository, host)
        with host.lock(repository.lock, PURPOSE, wait, watcher.note, create=False):
            found = survey(repository, host)
            imaged = None if image is None else _imaged(repository, image, host, watcher)
    return ThreeWay(found, imaged)


def _imaged(
    repository: Repository, image: ImagePath, host: Host, watcher: Watcher
) -> frozenset[str]:
    proven = read_receipt(resolve(image, host, watcher.note), host)
    if proven.master != repository.master:
        raise UsageError(
            f"{image} is an image of {shown(proven.master)}, not of {shown(repository.master)}.",
            "Name an image of this repository, or none.",
        )
    return frozenset(proven.databases)
