"""A driver's request is refused before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fleets import written

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.request import FleetRequest

if TYPE_CHECKING:
    from pathlib import Path

SECTIONS = {
    name: {"database": f"db1:/r/{name}.db", "image-dirs": f"/b/{name}"} for name in ("lib", "shop")
}


def asked(tmp_path: Path, action: str, *given: str, only: tuple[str, ...] = ()) -> FleetRequest:
    """Return the request for a fleet of two."""
    path = written(tmp_path / "fleet", SECTIONS)
    return FleetRequest.parse(path, only, action, given, jobs=8, executor=None, limit=1.0)


def test_a_fleet_is_asked_whole_or_in_part(tmp_path: Path) -> None:
    """It depends on the file and on -only."""
    assert [one.name for one in asked(tmp_path, "rotate").fleet.repositories] == ["lib", "shop"]
    (one,) = asked(tmp_path, "rotate", only=("shop",)).fleet.repositories
    assert one.name == "shop"


@pytest.mark.parametrize(
    ("given", "slot"),
    [
        ((), None),
        (("-strict", "-slot", "2026-11-01"), "2026-11-01"),
        (("--slot=2026-11-01",), "2026-11-01"),
        (("-slot",), None),
    ],
)
def test_the_slot_that_is_given_is_known(
    tmp_path: Path, given: tuple[str, ...], slot: str | None
) -> None:
    """Run ids are made from it."""
    assert asked(tmp_path, "rotate", *given).slot == slot


@pytest.mark.parametrize("word", ["-yes", "--json", "-run-id=x", "-database", "-to"])
def test_what_the_driver_gives_cannot_be_given(tmp_path: Path, word: str) -> None:
    """An option about one repository would apply to all."""
    with pytest.raises(UsageError, match="cannot be given after rotate"):
        asked(tmp_path, "rotate", word, "x")
