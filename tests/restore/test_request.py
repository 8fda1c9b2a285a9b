"""What a restore may be asked to do, and which image is one of the repository."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.proven import Proven
from csf_backup_plugin.restore.request import RestoreRequest

IMAGE = ImagePath("h", "/b/a.img")


def image_of(master: str, *others: str) -> Proven:
    """Return an image of a repository."""
    return Proven(master, dict.fromkeys((master, *others), 1), 1, None, "", "2026-01-01", IMAGE)


def request(master: str = "/r/lib.db", into: str | None = None) -> RestoreRequest:
    """Return a request."""
    return RestoreRequest.parse(master, "h:/b/a.img", into=into)


@pytest.mark.parametrize("into", ["", "relative", "/", "/r\n", "/other"])
def test_a_directory_to_restore_into_is_absolute_and_the_masters_own(into: str) -> None:
    """Two paths that contradict each other are not guessed at."""
    with pytest.raises(UsageError, match="-into"):
        request(into=into)


def test_another_repositorys_image_is_refused_and_both_are_named() -> None:
    """The way to restore it elsewhere is told."""
    with pytest.raises(UsageError, match="an image of /q/zoo.db, not of /r/lib.db") as caught:
        request().check_image_of(image_of("/q/zoo.db"))
    assert "give -into DIR and -database DIR/zoo.db" in caught.value.next_step


def test_with_into_the_master_keeps_its_name() -> None:
    """The message tells the path to give."""
    with pytest.raises(UsageError, match="whose name is not that of /r/lib.db") as caught:
        request(into="/r").check_image_of(image_of("/q/zoo.db"))
    assert "/r/zoo.db" in caught.value.next_step


@pytest.mark.parametrize("far", ["/far/x.db", "/q/below/x.db"])
def test_with_into_a_database_from_elsewhere_has_no_place(far: str) -> None:
    """It is named, rather than put where nobody looks for it, or over the one that is in use."""
    with pytest.raises(UsageError, match=far):
        request(into="/r").check_image_of(image_of("/q/lib.db", "/q/a.db", far))


def test_targets_are_the_databases_own_places_or_in_the_other_directory() -> None:
    """By their file names."""
    request().check_image_of(image_of("/r/lib.db", "/far/x.db"))
    assert request().target_of("/far/x.db") == "/far/x.db"
    request(into="/r/").check_image_of(image_of("/q/lib.db", "/q/x.db"))
    assert request(into="/r/").target_of("/q/x.db") == "/r/x.db"


def test_the_command_line_can_be_typed_again() -> None:
    """Names are quoted for the shell."""
    asked = RestoreRequest.parse("/r s/lib.db", "h:/b/it's", into="/r s")
    assert asked.command("-quarantine") == (
        "csf admin_database_restore -database '/r s/lib.db' -image-file 'h:/b/it'\"'\"'s' "
        "-into '/r s' -quarantine"
    )


def test_into_another_directory_goes_a_named_image_only() -> None:
    """The latest one may be any repository's."""
    with pytest.raises(UsageError, match="takes a named one only"):
        RestoreRequest.parse("/r/lib.db", "h:/b/latest", into="/r")
