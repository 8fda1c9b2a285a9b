"""Each image directory has the promise of a schedule, for those who monitor it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rotating import DAY, MONDAY, rotated

from csf_backup_plugin.hosts.local import writing
from csf_backup_plugin.image import sealed_json

if TYPE_CHECKING:
    from conftest import Place

pytestmark = pytest.mark.usefixtures("tools")


def promises(*tops: Path) -> list[dict[str, Any]]:
    """Return the promises in some directories."""
    paths = [path for top in tops for path in top.glob("csf-backup-promise-*.json")]
    return [sealed_json.decode(path.read_bytes(), sealed_json.PROMISE) for path in paths]


def test_each_image_directory_says_when_the_next_set_is_due(place: Place) -> None:
    """Directories that get no set tonight have it, too."""
    other = place.images.parent / "other"
    other.mkdir()
    made = rotated(place, MONDAY, place.images, other, every=86400.0)
    one, two = promises(place.images, other)
    assert one == two
    assert one["repository_id"] == made.filled.repository_id
    assert (one["started"], one["due"]) == (
        "2026-11-23T02:10:00+00:00",
        "2026-11-24T02:10:00+00:00",
    )
    assert (one["every_seconds"], one["utc_offset"]) == (86400.0, "+00:00")
    assert {*one["image_directories"]} == {str(place.images), str(other)}


def test_without_every_nothing_is_promised(place: Place) -> None:
    """An earlier promise stays."""
    rotated(place, every=3600.0)
    rotated(place, MONDAY + DAY)
    (promise,) = promises(place.images)
    assert promise["started"] == MONDAY.isoformat()


def test_a_promise_that_cannot_be_written_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The set is proven nevertheless."""

    def full(path: str, *_: object) -> str:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(writing, "replace", full)
    (warning,) = (w for w in rotated(place, every=86400.0).warnings if "csf-backup-promise" in w)
    assert warning.endswith(".json could not be written: No space left on device")
