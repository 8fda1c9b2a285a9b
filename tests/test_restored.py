"""Databases that should be back are looked at, one by one."""

from __future__ import annotations

from csf_backup_plugin.restored import findings
from doubles import MemoryHost


def test_what_is_missing_no_file_or_too_small_is_named() -> None:
    """And what is as large as it was, larger, or of unknown size is not."""
    sizes = {"/r/same": 3, "/r/grown": 2, "/r/unknown": None, "/r/cut": 9, "/r/dir": 1, "/r/no": 0}
    host = MemoryHost(dict.fromkeys(("/r/same", "/r/grown", "/r/unknown", "/r/cut"), b"abc"))
    host.directories.add("/r/dir")
    assert findings(sizes, host) == [
        "/r/cut has 3 bytes, and had 9 when it was backed up",
        "/r/dir is not a file",
        "/r/no is missing",
    ]
