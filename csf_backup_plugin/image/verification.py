"""Check whether an image, its import file and its receipt agree; find all that does not."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.long_step import Long
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.listed_databases import differences, list_findings
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.image.contents import Contents
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.progress_listener import Listener


def findings(
    contents: Contents,
    receipt: Receipt | None,
    osrestore: str | None,
    host: Host,
    listener: Listener,
) -> list[str]:
    """Return all that is wrong with an image, if anything is.

    Args:
        contents: what was found of it.
        receipt: its receipt; None if that is damaged, then only the rest is checked.
        osrestore: the program that lists what is in the image; None to leave that to a restore.
        host: where all of it is.
        listener: gets the progress of the checksum.

    Raises:
        TimedOut: osrestore did not end.
    """
    image = contents.image
    found, listed = import_file_findings(image, receipt, contents.import_file)
    at = contents.at()
    if receipt and (found or at.size != receipt.size):
        # Everything was read in one exchange, in which the receipt may have been written after the
        # other files were read.
        contents = read_contents(image, host)
        found, listed = import_file_findings(image, receipt, contents.import_file)
        at = contents.at()
    if receipt:
        return found + image_findings(image, at, receipt, osrestore, host, listener)
    if absent := presence_findings(image, at):
        return found + absent
    timeout = default_timeout(at.size)
    return found + (list_findings(image, osrestore, {*listed}, host, timeout) if osrestore else [])


def image_findings(
    image: ImagePath,
    at: Stat,
    receipt: Receipt,
    osrestore: str | None,
    host: Host,
    listener: Listener,
) -> list[str]:
    """Return what is wrong with an image by itself.

    Args:
        image: the image.
        at: what is at its path.
        receipt: its receipt.
        osrestore: as for `findings`.
        host: where it is.
        listener: gets the progress of the checksum.
    """
    if absent := presence_findings(image, at):
        return absent
    databases = {*receipt.databases}

    def in_its_list() -> list[str]:
        if not databases:
            return ["the receipt names no databases"]
        if osrestore is None:
            return []
        return list_findings(image, osrestore, databases, host, default_timeout(at.size))

    in_its_bytes, in_list = host.together(
        Long(lambda: content_findings(image, at, receipt, host, listener)), Long(in_its_list)
    )
    return in_its_bytes + in_list


def receipt_warnings(image: ImagePath, receipt: Receipt) -> list[str]:
    """Return what a receipt leaves unproven."""
    if receipt.sha256 is not None:
        return []
    words = ["the receipt has no SHA-256 (-no-checksum): only the image's size could be compared"]
    if receipt.image != image:
        words += [
            f"the receipt was made for {receipt.image}; whether it belongs to this image is not "
            "proven"
        ]
    return words


def size_warnings(receipt: Receipt) -> list[str]:
    """Return a warning if the receipt lacks the sizes that a restore compares."""
    if all(receipt.sizes.values()):
        return []
    return [
        "the receipt has no sizes of the databases, since the image was proven without them: "
        "whether a restored database is too small cannot be checked"
    ]


def raise_if_not_allowed(error: OSError) -> None:
    """Raise the error if this user lacks permission: that is not a fault of the file."""
    if error.errno in (errno.EACCES, errno.EPERM):
        raise error


def presence_findings(image: ImagePath, at: Stat) -> list[str]:
    """Return what is wrong if there is no image at all, or nothing in it.

    Args:
        image: the image.
        at: what is at its path.
    """
    if at.kind == "file" and at.size:
        return []
    problem = {"missing": "is missing", "file": "is empty"}.get(at.kind, "is not a file")
    return [f"the image {shown(image.path)} {problem}"]


def content_findings(
    image: ImagePath, at: Stat, receipt: Receipt, host: Host, listener: Listener
) -> list[str]:
    """Read the whole image; return how its size and SHA-256 differ from its receipt.

    Args:
        image: the image.
        at: what is at its path.
        receipt: its receipt; if it has no SHA-256, only the size is compared.
        host: where it is.
        listener: gets the progress of the checksum.
    """
    if at.size != receipt.size:
        return [f"the image holds {at.size:,} bytes; its receipt says {receipt.size:,}"]
    if receipt.sha256 is None:
        return []
    try:
        _, sha256 = host.digest(
            image.path, lambda done: listener.advance("checking", done, receipt.size)
        )
    except OSError as error:  # finding failing disks is the purpose of this
        raise_if_not_allowed(error)
        return [f"the image cannot be read: {reason(error)}"]
    if sha256 != receipt.sha256:
        return [f"the image's SHA-256 is {sha256}; its receipt says {receipt.sha256}"]
    return []


def import_file_findings(
    image: ImagePath, receipt: Receipt | None, read: Callable[[], bytes | None]
) -> tuple[list[str], list[str]]:
    """Return what is wrong with the import file, and the databases that it names.

    Args:
        image: the image.
        receipt: its receipt; without one, the import file only has to be a valid list.
        read: returns the contents of the import file, or None if there is none.
    """
    name = f"the import file {shown(image.import_file)}"
    try:
        contents = read()
    except OSError as error:
        raise_if_not_allowed(error)
        return [f"{name} cannot be read: {reason(error)}"], []
    if contents is None:
        return [f"{name} is missing"], []
    databases = commands.imported_databases(contents)
    found = [] if databases else [f"{name} is not a list of databases, one absolute path a line"]
    if receipt and sealed_json.sha256(contents) != receipt.import_file_sha256:
        found.append(f"{name} was changed since the backup")
        found += differences({*receipt.databases}, {*databases}, "import file")
    return found, databases
