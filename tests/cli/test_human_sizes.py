"""Bytes in a form for people."""

from __future__ import annotations

import pytest

from csf_backup_plugin.cli.human_sizes import counted, human


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_951, "1.0 MB"),
        (4e9, "4.0 GB"),
        (3.25e15, "3250.0 TB"),
    ],
)
def test_a_size_has_one_decimal_and_the_unit_that_fits(size: float, text: str) -> None:
    """Units are decimal, as in ObjectStore's 4 Gbytes per hour."""
    assert human(size) == text


def test_one_of_something_is_not_called_many() -> None:
    """Large numbers have groups of three digits."""
    assert counted(1, "database") == "1 database"
    assert counted(1200, "database") == "1,200 databases"
