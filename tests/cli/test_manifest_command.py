"""admin_database_manifest as csf runs it: coverage, differences, and a rebuilt manifest."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.manifest_lines import encode_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def backed_up(csf: Csf, place: Place) -> Place:
    """Return a repository with an image and a manifest."""
    image = f"localhost:{place.image}"
    assert csf("admin_database_backup", "-database", place.master, "-image-file", image)[0] == 0
    return place


def look(csf: Csf, place: Place, *options: str) -> tuple[int, str, str]:
    """Run the command."""
    return csf("admin_database_manifest", "-database", place.master, *options)


def test_what_agrees_is_said_in_a_line(csf: Csf, backed_up: Place) -> None:
    """Disk, manifest and image name the same databases; another line names the repository."""
    code, out, err = look(csf, backed_up)
    agreement, identity = err.splitlines()
    assert (code, out) == (ExitCode.DONE, "")
    assert agreement == (
        f"{backed_up.master} on localhost: 2 databases on disk, 2 in the manifest; they agree."
    )
    assert re.fullmatch(r"Repository [0-9a-f]{32}; its last backup has the number 1\.", identity)
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.image}")
    assert code == ExitCode.DONE
    assert "2 in the manifest, 2 in the image; they agree.\n" in err


def test_drift_is_named_and_ends_with_its_code(csf: Csf, backed_up: Place) -> None:
    """There is one database more and one less than in manifest and image."""
    (backed_up.repository / "New.db").touch()
    (backed_up.repository / "Book.db").unlink()
    before = backed_up.tree()
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.image}")
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert f"not in the manifest: {backed_up.repository}/New.db\n" in err
    assert f"in the manifest and not on disk: {backed_up.repository}/Book.db\n" in err
    assert f"not in the image: {backed_up.repository}/New.db\n" in err
    assert f"in the image and not on disk: {backed_up.repository}/Book.db\n" in err
    assert "they differ" in err
    command = f"csf admin_database_manifest -database {backed_up.master} -host localhost -rebuild"
    assert err.endswith(f"{command}\n")
    assert backed_up.tree() == before


def test_only_an_image_that_is_older_needs_no_new_manifest(csf: Csf, backed_up: Place) -> None:
    """The next backup is enough then."""
    (backed_up.repository / "New.db").touch()
    assert look(csf, backed_up, "-rebuild")[0] == 0
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.image}")
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert "-rebuild" not in err


def test_without_a_manifest_everything_is_unlisted(csf: Csf, place: Place) -> None:
    """The first backup makes the manifest, or this command."""
    code, out, _ = look(csf, place, "-json")
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.REPOSITORY_INCOMPLETE
    assert document["in_manifest"] is None
    assert document["differences"]["not in the manifest"] == document["on_disk"]
    assert "no manifest yet" in look(csf, place)[2]


def test_a_new_manifest_is_reported_line_by_line(csf: Csf, backed_up: Place) -> None:
    """The lines say what was added and dropped; then everything agrees."""
    (backed_up.repository / "New.db").touch()
    (backed_up.repository / "Book.db").unlink()
    identity = json.loads(look(csf, backed_up, "-json")[1])["repository_id"]
    code, _, err = look(csf, backed_up, "-rebuild")
    assert (code, err) == (
        ExitCode.DONE,
        f"added: {backed_up.repository}/New.db\n"
        f"dropped: {backed_up.repository}/Book.db (not on disk)\n"
        f"Rebuilt {backed_up.master}.manifest on localhost: 2 databases, 1 added, 1 dropped; "
        f"repository {identity}.\n",
    )
    assert look(csf, backed_up)[0] == ExitCode.DONE


def test_a_damaged_manifest_is_refused_and_kept_when_it_is_rebuilt(
    csf: Csf, backed_up: Place, tmp_path: Path
) -> None:
    """Its readable lines count, also for databases outside the directory."""
    far = tmp_path / "Far.db"
    far.touch()
    path = Path(f"{backed_up.master}.manifest")
    damaged = path.read_bytes() + b"damage\n" + encode_lines([str(far)])
    path.write_bytes(damaged)
    code, _, err = look(csf, backed_up)
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert "damaged at line 6" in err
    code, out, _ = look(csf, backed_up, "-rebuild", "-json")
    document = json.loads(out)
    assert (code, document["damaged_lines"], document["added"]) == (0, [6], [])
    assert Path(document["kept"]).read_bytes() == damaged
    assert str(far) in document["databases"]
    assert look(csf, backed_up)[0] == ExitCode.DONE
    path.write_bytes(damaged)
    assert (
        "not readable: line 6; the old manifest is kept as" in look(csf, backed_up, "-rebuild")[2]
    )


def test_an_image_must_be_one_of_this_repositorys(
    csf: Csf, backed_up: Place, tmp_path: Path
) -> None:
    """It must be on the same host, and does not go together with -add and -drop."""
    image = f"localhost:{backed_up.image}"
    other = tmp_path / "other.db"
    other.touch()
    named = ("-database", backed_up.master, "-image-file", image)
    for arguments, wanted, message in (
        (("-database", str(other), "-image-file", image), 13, "is an image of"),
        ((*named, "-drop", str(backed_up.repository / "Book.db")), 2, "must be given alone"),
        ((*named, "-host", "h"), 2, "and -host says h"),
        (("-database", backed_up.master, "-host", "-x"), 2, "looks like an option"),
        (("-database", backed_up.master, "-host", "a b"), 2, "not the name of a host"),
    ):
        code, _, err = csf("admin_database_manifest", *arguments)
        assert (code, message in err) == (wanted, True), err


def test_a_class_database_is_no_master_database(csf: Csf, backed_up: Place) -> None:
    """The master's manifest lists it; the next step is in the message and in the document."""
    arguments = ("admin_database_manifest", "-database", str(backed_up.repository / "Book.db"))
    code, _, err = csf(*arguments)
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert f"and the manifest of {backed_up.master} lists 1 of the databases on localhost" in err
    document = json.loads(csf(*arguments, "-json")[1])
    assert document["agrees"] is False
    assert f"-database {backed_up.master} -host localhost -drop" in document["problem"]["next_step"]


def test_what_lies_beside_is_reported(csf: Csf, backed_up: Place) -> None:
    """These files do not belong to the repository, so everything agrees."""
    (backed_up.repository / "Old.DB").touch()
    (backed_up.repository / "two.db").touch()
    (backed_up.repository / "two.db.manifest").write_bytes(manifest.encode(["two.db"]))
    book = str(backed_up.repository / "Book.db")
    code, _, err = look(csf, backed_up, "-drop", book)
    assert (code, err.splitlines()[0]) == (ExitCode.DONE, f"dropped: {book}")
    code, _, err = look(csf, backed_up)
    assert code == ExitCode.DONE
    assert (
        f"looks like a database, and is not in the manifest: {backed_up.repository}/Old.DB" in err
    )
    assert f"dropped from the manifest, and on disk: {book}\n" in err
    two = f"{backed_up.repository}/two.db"
    assert f"of the repository of {two}: {two}\n" in err
    assert look(csf, backed_up, "-add", book)[2].splitlines()[0] == f"added: {book}"
    nothing = f"Nothing to change in {backed_up.master}.manifest on localhost.\n"
    assert look(csf, backed_up, "-add", book) == (ExitCode.DONE, "", nothing)
    (backed_up.repository / "New.db").touch()
    told = look(csf, backed_up, "-rebuild")[2]
    assert (
        f"not recorded, since it may be another repository's: {backed_up.repository}/New.db" in told
    )
    assert f"-host localhost -add {backed_up.repository}/New.db\n" in told


def test_what_an_image_holds_and_is_there_is_not_called_missing(
    csf: Csf, backed_up: Place, tmp_path: Path
) -> None:
    """The lost manifest had listed a database elsewhere; the image restores the entry."""
    far = tmp_path / "Far"
    far.touch()
    gone = tmp_path / "Gone"
    gone.touch()
    assert look(csf, backed_up, "-add", str(far), "-add", str(gone))[0] == 0
    image = f"localhost:{backed_up.images}/b.img"
    assert csf("admin_database_backup", "-database", backed_up.master, "-image-file", image)[0] == 0
    gone.unlink()
    Path(f"{backed_up.master}.manifest").unlink()
    code, _, err = look(csf, backed_up, "-image-file", image)
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert f"in the image, on disk, and not in the manifest: {far}\n" in err
    assert f"in the image and not on disk: {gone}\n" in err
    assert "It has no repository id: the next backup takes it from the receipt" in err
    code, _, err = look(csf, backed_up, "-rebuild", "-image-file", image)
    assert code == 0
    assert f"added: {far}\n" in err
    assert f"in the image, and not on disk: {gone}\n" in err
    assert "last backup has the number 2" in look(csf, backed_up)[2]


def test_a_moved_repository_is_reported_until_it_is_settled(
    csf: Csf, backed_up: Place, tmp_path: Path
) -> None:
    """The message has the changed machine, name or path."""
    moved = tmp_path / "moved"
    backed_up.repository.rename(moved)
    (moved / "Odd.db").touch()
    master = str(moved / "lib.db")
    told = csf("admin_database_manifest", "-database", master)[2]
    assert f"It was moved or copied: the path was {backed_up.master} and is {master}." in told
    code, out, _ = csf(
        "admin_database_manifest", "-database", master, "-rebuild", "-moved", "-json"
    )
    assert code == 0
    told = csf("admin_database_manifest", "-database", master)[2]
    assert (
        f"Repository {json.loads(out)['repository_id']}; its last backup has the number 1.\n"
        in told
    )


def test_an_image_without_a_sound_receipt_is_at_fault(csf: Csf, backed_up: Place) -> None:
    """Only a proven image is compared."""
    receipt = Path(f"{backed_up.image}.receipt.json")
    receipt.write_bytes(receipt.read_bytes().replace(b"lib.db", b"lub.db"))
    options = ("-image-file", f"localhost:{backed_up.image}")
    code, _, err = look(csf, backed_up, *options)
    assert code == ExitCode.FAULT_FOUND
    assert "is damaged: changed since it was written" in err
    os.unlink(receipt)
    code, _, err = look(csf, backed_up, *options)
    assert code == ExitCode.FAULT_FOUND
    assert "how osbackup ended was not recorded" in err


def test_a_held_lock_is_waited_for(
    csf: Csf, backed_up: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class_create in progress is no difference."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "0.1")
    with LocalHost().lock(f"{backed_up.master}.lock", "class_create", 0, print):
        for options in ((), ("-rebuild",)):
            code, _, err = look(csf, backed_up, *options)
            assert code == ExitCode.LOCK_BUSY
            assert "is held by csf class_create" in err


def test_a_failing_disk_leaves_the_old_manifest(
    csf: Csf, backed_up: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is replaced completely or not at all."""
    (backed_up.repository / "New.db").touch()
    before = Path(f"{backed_up.master}.manifest").read_bytes()

    def refuse(*_: str) -> None:
        raise OSError(5, "Input/output error", f"{backed_up.master}.manifest")

    monkeypatch.setattr(os, "rename", refuse)
    code, _, err = look(csf, backed_up, "-rebuild")
    assert code == ExitCode.UNEXPECTED
    assert f"Input/output error: {backed_up.master}.manifest on localhost" in err
    assert Path(f"{backed_up.master}.manifest").read_bytes() == before
    assert not [name for name in os.listdir(backed_up.repository) if name.startswith(".")]


def test_the_latest_image_can_be_compared_with(csf: Csf, backed_up: Place) -> None:
    """The name latest is accepted."""
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.images}/latest")
    assert code == ExitCode.DONE
    assert "2 in the image; they agree" in err
