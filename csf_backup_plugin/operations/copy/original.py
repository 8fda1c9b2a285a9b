"""The set to copy: it is proven, and its size and its import file fit its receipt."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import verify_command
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image.meant import look, meant
from csf_backup_plugin.image.read_lock import not_removed
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.verification import import_file_findings, presence_findings
from csf_backup_plugin.image.wanted_repository import check_image_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.image.contents import Contents
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.progress_listener import Listener


class Original(NamedTuple):
    """A set that can be copied.

    Attributes:
        image: its image.
        receipt: its receipt.
        sealed: the receipt's bytes.
        import_file: the bytes of its import file.
        machine: its host, and the clock there.
        directory: the facts on its directory.
        warnings: what the user should know about the choice of the set.
    """

    image: ImagePath
    receipt: Receipt
    sealed: bytes
    import_file: bytes
    machine: Machine
    directory: Facts
    warnings: tuple[str, ...]


@contextlib.contextmanager
def held_original(request: CopyRequest, host: Host, listener: Listener) -> Iterator[Original]:
    """Find the set to copy, and keep it from being removed while the block runs.

    Args:
        request: which set to copy.
        host: the host to work on.
        listener: gets a note if a path resolves to another one.

    Raises:
        FaultFound: there is no such set, it is not proven, or it differs from its receipt.
        WrongRepository: the set belongs to another repository.
    """
    looked = look(request.image, request.repository, host)
    chosen, contents = meant(looked, host, listener.note)
    with not_removed(contents, host):
        receipt = read_receipt(contents, host)
        check_image_of(looked.wanted, chosen.image, receipt)
        _check_whole(contents, receipt)
        yield Original(
            chosen.image,
            receipt,
            contents.receipt() or b"",
            contents.import_file() or b"",
            looked.machine,
            looked.directory,
            (*chosen.findings, *chosen.warnings),
        )


def _check_whole(contents: Contents, receipt: Receipt) -> None:
    """Refuse a set if a part is missing or differs from the receipt."""
    image, at = contents.image, contents.at()
    found = presence_findings(image, at)
    if not found and at.size != receipt.size:
        found = [f"the image holds {at.size:,} bytes; its receipt says {receipt.size:,}"]
    found += import_file_findings(image, receipt, contents.import_file)[0]
    if found:
        raise FaultFound(
            f"{image} is not as its backup left it, and is not copied:",
            f"Copy another image. Find out more: {verify_command(image.name)}",
            found,
        )
