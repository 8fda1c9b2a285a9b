"""Requests for a restore, and which image belongs to the repository."""

from __future__ import annotations

from dataclasses import replace

import pytest

from csf_backup_plugin.errors import UsageError, WrongRepository
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin, Receipt
from csf_backup_plugin.image.wanted_repository import Wanted
from csf_backup_plugin.operations.quiet.request import Quiescing
from csf_backup_plugin.operations.restore.request import RestoreRequest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.model import Repository

IMAGE = ImagePath("h", "/b/a.img")
STARTED = "2026-01-01T00:00:00+00:00"


def image_of(master: str, *others: str) -> Receipt:
    """Return an image of a repository."""
    sizes = dict.fromkeys((master, *others), 1)
    return Receipt(master, sizes, 1, None, "", STARTED, IMAGE, Origin("1" * 32, 7, "", "h"))


def wanted(identity: str | None = None, master: str = "/r/lib.db") -> Wanted:
    """Return the repository's manifest."""
    return Wanted(Repository(master), Identity(identity, "", "h", master) if identity else None)


def request(master: str = "/r/lib.db", into: str | None = None) -> RestoreRequest:
    """Return a request."""
    return RestoreRequest.parse(master, "h:/b/a.img", into=into)


@pytest.mark.parametrize("into", ["", "relative", "/", "/r\n", "/other"])
def test_a_directory_to_restore_into_is_absolute_and_the_masters_own(into: str) -> None:
    """Contradicting paths are refused."""
    with pytest.raises(UsageError, match="-into"):
        request(into=into)


def test_another_repositorys_image_is_refused_and_both_are_named() -> None:
    """The message has the command that restores it elsewhere."""
    with pytest.raises(WrongRepository, match="image of /q/zoo.db, not of /r/lib.db") as caught:
        request().check_image_of(image_of("/q/zoo.db"), wanted())
    assert "give -into DIR and -database DIR/zoo.db" in caught.value.next_step


def test_an_image_of_a_repository_that_was_at_the_same_path_is_refused() -> None:
    """It has another id; the message has the command that restores it nevertheless."""
    own = "2" * 32
    with pytest.raises(WrongRepository) as caught:
        request().check_image_of(image_of("/r/lib.db"), wanted(own))
    assert f"{IMAGE} is an image of /r/lib.db, repository {'1' * 32}" in caught.value.what
    assert f"/r/lib.db is another repository, repository {own}" in caught.value.what
    assert caught.value.next_step.endswith(f": {request().command('-into', '/r')}")
    request(into="/r").check_image_of(image_of("/r/lib.db"), wanted(own))


@pytest.mark.parametrize("own", [None, "1" * 32])
def test_an_image_of_the_repository_is_taken(own: str | None) -> None:
    """The id decides, or the path if the manifest has no id."""
    request().check_image_of(image_of("/r/lib.db"), wanted(own))


def test_a_path_is_not_enough_where_the_repository_was_elsewhere() -> None:
    """It would be restored to the place where the repository no longer is."""
    with pytest.raises(WrongRepository, match="an image of /was/lib.db, not of /r/lib.db"):
        request().check_image_of(image_of("/was/lib.db"), wanted("1" * 32))


def test_with_into_the_master_keeps_its_name() -> None:
    """The message has the right path."""
    with pytest.raises(UsageError, match="whose name is not that of /r/lib.db") as caught:
        request(into="/r").check_image_of(image_of("/q/zoo.db"), wanted())
    assert "/r/zoo.db" in caught.value.next_step


@pytest.mark.parametrize("far", ["/far/x.db", "/q/below/x.db"])
def test_with_into_a_database_from_elsewhere_has_no_place(far: str) -> None:
    """It is named, since any place for it would be a guess, or the one in use."""
    with pytest.raises(UsageError, match=far):
        request(into="/r").check_image_of(image_of("/q/lib.db", "/q/a.db", far), wanted())


def test_targets_are_the_databases_own_places_or_in_the_other_directory() -> None:
    """They have the same file names there."""
    request().check_image_of(image_of("/r/lib.db", "/far/x.db"), wanted())
    assert request().target_of("/far/x.db") == "/far/x.db"
    request(into="/r/").check_image_of(image_of("/q/lib.db", "/q/x.db"), wanted())
    assert request(into="/r/").target_of("/q/x.db") == "/r/x.db"


def test_the_command_line_can_be_typed_again() -> None:
    """Names are quoted for the shell."""
    asked = RestoreRequest.parse("/r s/lib.db", "h:/b/it's", into="/r s")
    assert asked.command("-quarantine") == (
        "csf admin_database_restore -database '/r s/lib.db' -image-file 'h:/b/it'\"'\"'s' "
        "-into '/r s' -quarantine"
    )


def test_what_makes_quiet_is_in_the_command_line() -> None:
    """It has the program and what is required."""
    quiet = Quiescing("/etc/quiesce", is_required=True)
    asked = RestoreRequest.parse("/r/lib.db", "db1:/b/a.img", quiescing=quiet)
    assert asked.command().endswith(" -quiesce /etc/quiesce -require-quiet")


def test_into_another_directory_goes_a_named_image_only() -> None:
    """latest could be an image of any repository."""
    with pytest.raises(UsageError, match="needs an image by its name"):
        RestoreRequest.parse("/r/lib.db", "h:/b/latest", into="/r")


def test_what_was_asked_for_is_kept_at_the_places_that_were_meant() -> None:
    """Links were resolved; -into moves the names along."""
    asked = RestoreRequest.parse(
        *("/link/lib.db", "h:/b/latest"),
        quarantine=True,
        dry_run=True,
        wait=1,
        timeout=2,
        unattended=True,
        require_mount=True,
        accept_unmounted=True,
    )
    meant = asked.at(Repository("/r/lib.db"), IMAGE)
    assert meant == replace(asked, repository=Repository("/r/lib.db"), image=IMAGE)
    there = request("/link/lib.db", "/link").at(Repository("/r/lib.db"), IMAGE)
    assert (there.into, there.target_of("/q/x.db")) == ("/r", "/r/x.db")
