"""A repository's files: its directory compared with its manifest."""

from __future__ import annotations

from csf_backup_plugin.repository.coverage import Database, compare


def test_coverage_orders_the_databases_and_names_what_differs() -> None:
    """The master database comes first, and the sizes are added up."""
    on_disk = [Database("/r/z.db", 3), Database("/r/lib.db", 2), Database("/r/a.db", 1)]
    coverage = compare("/r/lib.db", on_disk, ["/r/lib.db", "/r/gone.db", "/r/z.db"])
    assert coverage.paths == ["/r/lib.db", "/r/a.db", "/r/z.db"]
    assert coverage.unlisted == ("/r/a.db",)
    assert coverage.missing == ("/r/gone.db",)
    assert coverage.bytes == 6
