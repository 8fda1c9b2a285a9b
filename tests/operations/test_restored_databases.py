"""Findings about restored databases."""

from __future__ import annotations

from csf_backup_plugin.image.receipt import Size
from csf_backup_plugin.operations import restored_databases
from doubles import MemoryHost


def test_what_is_there_and_no_smaller_than_it_was_is_right() -> None:
    """A database may grow before osbackup's instant, or be compacted."""
    names = ("a", "b", "c", "d", "e")
    host = MemoryHost({f"/r/{name}.db": b"123" for name in names})
    sizes = (Size(3, 3), Size(2, 4), Size(3, 9), Size(9, 3), None)
    expected = {f"/r/{name}.db": size for name, size in zip(names, sizes, strict=True)}
    assert restored_databases.findings(expected, host.stat(expected)) == []


def test_each_fault_is_named() -> None:
    """A database may be missing, of another kind, or incomplete."""
    host = MemoryHost({"/r/c.db": b"1"}, ["/r/b.db"])
    sizes = {"/r/a\n.db": None, "/r/b.db": None, "/r/c.db": Size(2000, 1000)}
    assert restored_databases.findings(sizes, host.stat(sizes)) == [
        "/r/a\\x0a.db is missing",
        "/r/b.db is not a file",
        "/r/c.db holds 1 bytes; it held 2,000 when the backup began, and 1,000 when osbackup had "
        "ended",
    ]
