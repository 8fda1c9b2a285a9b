"""Image sets on a host in memory, and records of their verifications."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.image import receipt, receipt_format, sealed_json
from csf_backup_plugin.image.path import ImagePath
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Sequence

LIST = b"/r/lib.db\n/r/x.db\n"
OURS, OTHERS = "1" * 32, "2" * 32
DIRECTORY = "db1:/b"


def started(number: int) -> str:
    """Return when the backup with a number began."""
    return f"2026-11-{number:02}T02:10:00+00:00"


def add_set(
    host: MemoryHost, path: str, number: int | None, owner: str = OURS, master: str = "/r/lib.db"
) -> None:
    """Add a sound image with its import file and its receipt.

    Args:
        host: where.
        path: the image's.
        number: of the backup, which is the day it was made on, too.
        owner: the repository's id.
        master: its master database, one of the two that every image holds.
    """
    data = f"image {path}".encode()
    made = receipt.Receipt(
        master,
        {"/r/lib.db": 3, "/r/x.db": 2},
        len(data),
        sealed_json.sha256(data),
        sealed_json.sha256(LIST),
        started(number or 1),
        ImagePath(host.name, path),
        receipt.Origin(owner, number, "a" * 32, "db1"),
    )
    sealed = receipt_format.encode(
        made,
        finished=made.started,
        osbackup="/os/bin/osbackup",
        shared_disk="no",
        proven_by="admin_database_backup",
    )
    host.files |= {path: data, f"{path}.dbn": LIST, f"{path}.receipt.json": sealed}
    host.directories.add(posixpath.dirname(path))


def add_record(
    host: MemoryHost, path: str, number: int, at: str, findings: Sequence[str] = ()
) -> None:
    """Add the record of a verification.

    Args:
        host: where.
        path: the image's.
        number: of its backup.
        at: when that ended.
        findings: what was wrong.
    """
    facts = {"finished": at, "backup_started": started(number), "findings": list(findings)}
    data = sealed_json.encode(facts, sealed_json.VERIFICATION)
    host.files[f"{path}.verify.json"] = data


def host_with(*numbers: int, kind: type[MemoryHost] = MemoryHost) -> MemoryHost:
    """Return a host whose directory ``/b`` has a sound set ``/b/N.img`` for each number."""
    host = kind({}, ["/b", "/r"])
    host.listing = Completed(0, LIST)
    for number in numbers:
        add_set(host, f"/b/{number}.img", number)
    return host
