"""Find the images to verify in a directory and its places."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import BACKUP_HELP
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image.catalog import read_catalog, warnings_about
from csf_backup_plugin.image.last_checks import read_last_checks
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.to_be_filled import is_to_be_filled
from csf_backup_plugin.image.wanted_repository import is_image_of, wanted_at
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.verify.turns import in_turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.verify.request import VerifyAllRequest
    from csf_backup_plugin.operations.verify.turns import Candidate
    from csf_backup_plugin.repository.location import Note


class Found(NamedTuple):
    """The images that were found.

    Attributes:
        top: ``latest`` of the directory, with its path resolved.
        candidates: the images with a usable receipt, in the order in which they are verified.
        unusable: images whose receipt cannot be used.
        warnings: what was skipped.
        now: the host's clock, in ISO 8601.
    """

    top: ImagePath
    candidates: Sequence[Candidate]
    unusable: Sequence[ImagePath]
    warnings: tuple[str, ...]
    now: str

    def divided(self, older_than: float | None) -> tuple[list[Candidate], list[Candidate]]:
        """Return the images that were verified recently, and those that are due.

        Args:
            older_than: an image is due if it was verified longer ago than this, in seconds; None if
                all are due.
        """
        recent = [one for one in self.candidates if one.is_recent(older_than, self.now)]
        due = [one for one in self.candidates if not one.is_recent(older_than, self.now)]
        return recent, due


def look_at_directory(request: VerifyAllRequest, host: Host, note: Note) -> Found:
    """Read every receipt, and every record of a verification, but no image.

    Args:
        request: which directory to read, and which repository's images count.
        host: the host to work on.
        note: called with a sentence if a path resolves to another one.

    Raises:
        FaultFound: there is no image with a receipt, and no rotation is expected to make the first.
        OSError: the directory cannot be read.
    """
    repository = request.repository
    machine, wanted, (at,) = host.together(
        host.machine,
        lambda: wanted_at(repository, host) if repository else None,
        lambda: host.look([request.top.directory]),
    )
    top = locate_image(request.top, at, note)
    catalog = read_catalog(top, host)
    sets = [one for one in catalog.sets if not wanted or is_image_of(wanted, one.receipt)]
    master = wanted.master if wanted else None
    others = catalog.skipped_for(master)
    unusable = [one.image for one in others if one.has_receipt]
    warnings = warnings_about(one for one in others if not one.has_receipt)
    if not sets and not unusable and not is_to_be_filled(top, catalog, wanted, host):
        raise _none(top, master, warnings)
    last = [checks.verified for checks in read_last_checks(sets, catalog, host)]
    candidates = in_turn(sets, last, machine.now)
    return Found(top, candidates, unusable, tuple(warnings), machine.now)


def _none(top: ImagePath, master: str | None, warnings: list[str]) -> FaultFound:
    of = f" of {shown(master)}" if master else ""
    return FaultFound(
        f"{top.host}:{shown(top.directory)} holds no image{of} that has a receipt, so there is "
        "nothing to verify.",
        f"Name the directory that has the images, or make one: {BACKUP_HELP}",
        warnings,
    )
