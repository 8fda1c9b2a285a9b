"""The last verification of an image is recorded beside it, where that can be written."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.hosts.local import writing
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.verify import Verified, verify
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def imaged(place: Place) -> Place:
    """Return a place with an image."""
    back_up(BackupRequest.parse(place.master, f"localhost:{place.image}"), LocalHost(), Memory())
    return place


def verified(place: Place) -> Verified:
    """Verify the place's image."""
    return verify(ImagePath("localhost", place.image), None, LocalHost(), Memory())


def recorded(place: Place) -> dict[str, Any]:
    """Return what the record says."""
    with open(f"{place.image}.verify.json", "rb") as file:
        found: dict[str, Any] = json.load(file)
        return found


def test_a_verification_is_recorded_however_it_went(imaged: Place) -> None:
    """It has the findings, and is replaced by the next one."""
    assert verified(imaged).warnings == ()
    assert recorded(imaged)["findings"] == []
    with open(imaged.image, "ab") as file:
        file.write(b"x")
    with pytest.raises(FaultFound) as caught:
        verified(imaged)
    assert recorded(imaged)["findings"] == [*caught.value.findings]
    assert caught.value.left == (
        f"It is on record in {imaged.image}.verify.json. Nothing else was created or changed."
    )


@pytest.mark.parametrize(
    ("number", "is_told"), [(errno.EACCES, False), (errno.EROFS, False), (errno.ENOSPC, True)]
)
def test_a_record_that_cannot_be_written_changes_nothing_else(
    imaged: Place, monkeypatch: pytest.MonkeyPatch, number: int, *, is_told: bool
) -> None:
    """Without permission there is no warning: a monitoring user may only read."""

    def refused(path: str, *_: object) -> str:
        raise OSError(number, "No.", path)

    monkeypatch.setattr(writing, "replace", refused)
    told = f"{imaged.image}.verify.json could not be written: No."
    assert verified(imaged).warnings == ((told,) if is_told else ())
    with open(imaged.image, "ab") as file:
        file.write(b"x")
    with pytest.raises(FaultFound) as caught:
        verified(imaged)
    assert ("could not be written" in caught.value.left) is is_told
