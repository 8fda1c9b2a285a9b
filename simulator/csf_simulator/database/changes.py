"""The changes that a transaction makes once it commits."""

from __future__ import annotations

from typing import NamedTuple


class Before(NamedTuple):
    """What a database was before a transaction changed it.

    Attributes:
        size: length of its file in bytes.
        sectors: what was in the sectors that change, by number; those beyond the end left out.
    """

    size: int
    sectors: dict[int, bytes]


class Changes(NamedTuple):
    """What one transaction does.

    Attributes:
        sectors: new content, 512 bytes, by the path of the database and the number of the sector.
        databases: for each new database, its path and the name it was built under.
        before: what each database was whose sectors change, by its path.
    """

    sectors: dict[str, dict[int, bytes]]
    databases: dict[str, str]
    before: dict[str, Before]
