"""Reading the receipt beside an image; only an image with a receipt counts as a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import list_by_hand
from csf_backup_plugin.errors import FaultFound, OtherVersion
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.verification import raise_if_not_allowed
from csf_backup_plugin.image.without_receipt import without_receipt
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.contents import Contents
    from csf_backup_plugin.image.receipt import Receipt

_NEXT_STEP = {
    sealed_json.NewerDocument: "Use this plugin in the version that made it, or a newer one.",
    sealed_json.UnreleasedDocument: "Make a new backup.",
}


def read_receipt(contents: Contents, host: Host) -> Receipt:
    """Return what the receipt of an image says.

    Args:
        contents: what was found of the image.
        host: where it is.

    Raises:
        FaultFound: there is no receipt, or it cannot be read or used.
        PermissionError: this user may not read it.
    """
    image = contents.image
    try:
        data = contents.receipt()
    except OSError as error:
        raise_if_not_allowed(error)
        raise FaultFound(
            f"The receipt {image.host}:{shown(image.receipt)} cannot be read: {reason(error)}.",
            "Look at its disk, and use another image.",
        ) from None
    if data is None:
        raise without_receipt(image, host)
    try:
        return decode(data)
    except sealed_json.UnusableDocument as error:
        kind = FaultFound if isinstance(error, sealed_json.CorruptDocument) else OtherVersion
        raise kind(
            f"The receipt {image.host}:{shown(image.receipt)} {problem(error)}.",
            _NEXT_STEP.get(type(error), "Use another image.")
            + " If this is all that is left of the databases, restore it by hand: "
            f"{list_by_hand(image.path)} shows what is in it.",
        ) from None


def problem(error: sealed_json.UnusableDocument) -> str:
    """Return why a receipt cannot be used, in words that follow its name."""
    if isinstance(error, sealed_json.CorruptDocument):
        return f"is damaged: {error}"
    return f"cannot be used: {error}"
