"""A set that is partly removed is no backup, and every command says so."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import CannotBeProven, FaultFound, ImageExists
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.prove import prove
from csf_backup_plugin.operations.prove.request import ProveRequest
from csf_backup_plugin.operations.verify import verify
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def begun(place: Place) -> Place:
    """Return a place with an image whose removal has begun."""
    request = BackupRequest.parse(place.master, f"localhost:{place.image}")
    back_up(request, LocalHost(), Memory())
    os.rename(f"{place.image}.receipt.json", f"{place.image}.removing")
    return place


def test_it_is_not_verified(begun: Place) -> None:
    """What is left of it may or may not be complete."""
    with pytest.raises(FaultFound) as caught:
        verify(ImagePath("localhost", begun.image), None, LocalHost(), Memory())
    assert "a rotation has begun to remove it" in caught.value.findings[0]
    assert caught.value.next_step.startswith("Use another image.")


def test_it_is_not_proven_anew(begun: Place) -> None:
    """The next rotation removes the rest."""
    with pytest.raises(CannotBeProven, match="a rotation has begun to remove it"):
        prove(ProveRequest.parse(f"localhost:{begun.image}"), LocalHost(), Memory())


def test_its_name_is_taken(begun: Place) -> None:
    """It is free once everything has been removed."""
    request = BackupRequest.parse(begun.master, f"localhost:{begun.image}")
    with pytest.raises(ImageExists):
        back_up(request, LocalHost(), Memory())
