"""admin_database_manifest as csf runs it: coverage, drift, and a manifest made anew."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin import manifest
from csf_backup_plugin.errors import ExitCode
from csf_backup_plugin.hosts.local import LocalHost

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


def test_what_agrees_is_one_line(csf: Csf, backed_up: Place) -> None:
    """Disk, manifest and image name the same databases."""
    assert look(csf, backed_up) == (
        ExitCode.DONE,
        "",
        f"{backed_up.master} on localhost: 2 databases on disk, 2 in the manifest; they agree.\n",
    )
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.image}")
    assert code == ExitCode.DONE
    assert err.endswith("2 in the manifest, 2 in the image; they agree.\n")


def test_drift_is_named_and_ends_with_its_code(csf: Csf, backed_up: Place) -> None:
    """One database more and one less than manifest and image know."""
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
    """The next backup is what helps then."""
    (backed_up.repository / "New.db").touch()
    assert look(csf, backed_up, "-rebuild")[0] == 0
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.image}")
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert "-rebuild" not in err


def test_without_a_manifest_everything_is_unlisted(csf: Csf, place: Place) -> None:
    """The first backup makes it, or this command."""
    code, out, _ = look(csf, place, "-json")
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.REPOSITORY_INCOMPLETE
    assert document["in_manifest"] is None
    assert document["differences"]["not in the manifest"] == document["on_disk"]
    assert "no manifest yet" in look(csf, place)[2]


def test_a_new_manifest_is_told_line_by_line(csf: Csf, backed_up: Place) -> None:
    """What was added and what was dropped; afterwards all agrees."""
    (backed_up.repository / "New.db").touch()
    (backed_up.repository / "Book.db").unlink()
    code, _, err = look(csf, backed_up, "-rebuild")
    assert (code, err) == (
        ExitCode.DONE,
        f"added: {backed_up.repository}/New.db\n"
        f"dropped: {backed_up.repository}/Book.db (not on disk)\n"
        f"Rebuilt {backed_up.master}.manifest on localhost: 2 databases, 1 added, 1 dropped.\n",
    )
    assert look(csf, backed_up)[0] == ExitCode.DONE


def test_a_damaged_manifest_is_refused_and_kept_when_it_is_made_anew(
    csf: Csf, backed_up: Place, tmp_path: Path
) -> None:
    """What can be read of it still counts, also of databases outside the directory."""
    far = tmp_path / "Far.db"
    far.touch()
    path = Path(f"{backed_up.master}.manifest")
    damaged = path.read_bytes() + b"damage\n" + manifest.encode_lines([str(far)])
    path.write_bytes(damaged)
    code, _, err = look(csf, backed_up)
    assert code == ExitCode.REPOSITORY_INCOMPLETE
    assert "damaged at line 4" in err
    code, out, _ = look(csf, backed_up, "-rebuild", "-json")
    document = json.loads(out)
    assert (code, document["damaged_lines"], document["added"]) == (0, [4], [])
    assert Path(document["kept"]).read_bytes() == damaged
    assert str(far) in document["databases"]
    assert look(csf, backed_up)[0] == ExitCode.DONE
    path.write_bytes(damaged)
    assert (
        "not readable: line 4; the old manifest is kept as" in look(csf, backed_up, "-rebuild")[2]
    )


def test_an_image_must_be_one_of_this_repositorys(csf: Csf, backed_up: Place) -> None:
    """And on the same host; and it has no part in making the manifest."""
    image = f"localhost:{backed_up.image}"
    other = backed_up.repository / "Book.db"
    for arguments, message in (
        (("-database", str(other), "-image-file", image), "is an image of"),
        (("-database", backed_up.master, "-image-file", image, "-rebuild"), "no part in -rebuild"),
        (("-database", backed_up.master, "-image-file", image, "-host", "h"), "on the host of"),
        (("-database", backed_up.master, "-host", "-x"), "looks like an option"),
        (("-database", backed_up.master, "-host", "a b"), "not the name of a host"),
    ):
        code, _, err = csf("admin_database_manifest", *arguments)
        assert (code, message in err) == (ExitCode.USAGE, True), err


def test_an_image_without_a_sound_receipt_is_at_fault(csf: Csf, backed_up: Place) -> None:
    """Only what was proven is compared with."""
    receipt = Path(f"{backed_up.image}.receipt.json")
    receipt.write_bytes(receipt.read_bytes().replace(b"lib.db", b"lub.db"))
    options = ("-image-file", f"localhost:{backed_up.image}")
    code, _, err = look(csf, backed_up, *options)
    assert code == ExitCode.FAULT_FOUND
    assert "is damaged: changed since it was written" in err
    os.unlink(receipt)
    code, _, err = look(csf, backed_up, *options)
    assert code == ExitCode.FAULT_FOUND
    assert f"csf admin_database_verify -image-file localhost:{backed_up.image}\n" in err


def test_a_held_lock_is_waited_for(
    csf: Csf, backed_up: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a class_create has half done is no drift."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "0.1")
    with LocalHost().lock(f"{backed_up.master}.lock", "class_create", 0, print):
        for options in ((), ("-rebuild",)):
            code, _, err = look(csf, backed_up, *options)
            assert code == ExitCode.LOCK_BUSY
            assert "is held by csf class_create" in err


def test_a_failing_disk_leaves_the_old_manifest(
    csf: Csf, backed_up: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is replaced all at once or not at all."""
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
    """By that name."""
    code, _, err = look(csf, backed_up, "-image-file", f"localhost:{backed_up.images}/latest")
    assert code == ExitCode.DONE
    assert "2 in the image; they agree" in err
