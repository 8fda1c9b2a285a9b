"""What is found wrong with restored databases."""

from __future__ import annotations

from csf_backup_plugin import restored
from doubles import MemoryHost


def test_what_is_there_and_no_smaller_than_it_was_is_right() -> None:
    """A database may have grown between the survey and osbackup's instant."""
    host = MemoryHost({"/r/a.db": b"12", "/r/b.db": b"123", "/r/c.db": b""})
    assert restored.findings({"/r/a.db": 2, "/r/b.db": 2, "/r/c.db": None}, host) == []


def test_each_fault_is_named() -> None:
    """Missing, something else, and not whole."""
    host = MemoryHost({"/r/c.db": b"1"}, ["/r/b.db"])
    assert restored.findings({"/r/a\n.db": None, "/r/b.db": None, "/r/c.db": 2000}, host) == [
        "/r/a\\x0a.db is missing",
        "/r/b.db is not a file",
        "/r/c.db holds 1 bytes; it held 2,000 when the backup began",
    ]
