"""admin_database_verify of a whole directory, as csf runs it: exit codes, sentences, JSON, ssh."""

from __future__ import annotations

import functools
import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sshd import Sshd

from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.operations.verify import all_images

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")


@pytest.fixture
def images(csf: Csf, place: Place) -> list[str]:
    """Return the paths of three images, the oldest first."""
    made = [str(place.images / f"{number}.img") for number in (1, 2, 3)]
    for path in made:
        words = ("-database", place.master, "-image-file", f"localhost:{path}")
        assert csf("admin_database_backup", *words)[0] == 0
    return made


@pytest.fixture
def verify(csf: Csf, place: Place, images: list[str]) -> Csf:
    """Return a function that runs the command on the directory of the images."""
    words = ("-image-dir", f"localhost:{os.path.dirname(images[0])}")
    return lambda *options: csf("admin_database_verify", *words, *options)


def facts(result: tuple[int, str, str]) -> dict[str, Any]:
    """Return what a document says."""
    found: dict[str, Any] = json.loads(result[1])
    assert found["exit_code"] == result[0]
    return found


def rot(path: str) -> None:
    """Change a byte of a database in an image, wherever the image has it."""
    data = bytearray(Path(path).read_bytes())
    data[data.index(b"lib.db" * 2)] ^= 1
    Path(path).write_bytes(data)


def test_each_image_has_a_line_and_the_last_one_counts(verify: Csf, images: list[str]) -> None:
    """The newest comes first; a second run has nothing to do."""
    code, out, err = verify("-older-than", "30d")
    assert (code, out) == (ExitCode.DONE, "")
    *lines, counts = err.splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        f"sound localhost:{path}" for path in reversed(images)
    ]
    assert lines[0].startswith(f"sound localhost:{images[2]}: 10.2 kB, backup 3 of ")
    assert counts.startswith(f"Verified 3 images in localhost:{os.path.dirname(images[0])} in ")
    assert counts.endswith(" s: 3 sound, 0 at fault")
    (counts,) = verify("-older-than", "30d")[2].splitlines()
    assert counts.endswith(" s: 0 sound, 0 at fault; 3 verified within -older-than")


def test_bit_rot_in_an_old_image_is_reported(verify: Csf, images: list[str]) -> None:
    """It is reported at once, in its line and in the error; the next run reports it again."""
    rot(images[0])
    code, _, err = verify()
    assert code == ExitCode.FAULT_FOUND
    assert f"\nat fault localhost:{images[0]}: 1 finding\n" in err
    assert err.startswith(f"at fault localhost:{images[0]}: the image's SHA-256 is ")
    assert ": 2 sound, 1 at fault\nError: Images in localhost:" in err
    assert f"It is on record in {images[0]}.verify.json." in err
    code, _, err = verify("-older-than", "1h")
    assert code == ExitCode.FAULT_FOUND
    assert err.startswith(f"at fault on record localhost:{images[0]}: verified 20")
    assert "\nNothing was created or changed.\n" in err
    assert "; 1 at fault on record; 3 verified within -older-than\n" in err


def test_json_is_one_document_with_a_list(verify: Csf, images: list[str]) -> None:
    """Findings are listed with their image, and again for all images."""
    rot(images[0])
    os.unlink(f"{images[1]}.dbn")
    said = facts(verify("-json"))
    outcomes = {one["image"]: one["outcome"] for one in said["images"]}
    assert outcomes == {images[2]: "sound", images[1]: "at fault", images[0]: "at fault"}
    assert (said["verified"], said["sound"], said["at_fault"]) == (3, 1, 2)
    assert len(said["findings"]) == 2
    assert said["images"][2]["findings"][0].startswith("the image's SHA-256 is ")
    assert said["error"].startswith("Images in localhost:")
    assert said["image_bytes"] == said["images"][0]["image_bytes"] == os.path.getsize(images[2])
    later = facts(verify("-json", "-older-than", "1d"))
    assert [one["outcome"] for one in later["images"]] == ["recent"] * 3
    assert sorted(one["has_failed"] for one in later["images"]) == [False, True, True]
    assert (later["at_fault_on_record"], later["recent"]) == (2, 3)


def test_what_is_left_for_the_next_run_is_reported(
    verify: Csf, images: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the next image, and when that was verified."""
    clock = itertools.count(0.0, 7200.0).__next__
    slow = functools.partial(all_images.verify_all, clock=clock)
    monkeypatch.setattr(all_images, "verify_all", slow)
    code, _, err = verify("-budget", "1h")
    assert code == 0
    assert err.endswith(
        f"; 2 left for the next run, which begins with localhost:{images[1]} (never verified)\n"
    )
    said = facts(verify("-budget", "1h", "-json"))
    assert [one["outcome"] for one in said["images"]] == ["sound", "left", "left"]
    assert [one["verified_at"] is None for one in said["images"][1:]] == [True, False]
    err = verify("-budget", "1h")[2]
    assert err.startswith(f"sound localhost:{images[0]}: ")
    assert " (verified last at 20" in err


def test_an_image_without_a_receipt_is_a_warning(verify: Csf, images: list[str]) -> None:
    """An image that cannot be verified is a warning, too, without a line."""
    os.unlink(f"{images[1]}.receipt.json")
    code, _, err = verify()
    assert code == ExitCode.DONE
    assert f"warning: skipped: localhost:{images[1]} has no receipt" in err
    assert len(facts(verify("-json"))["warnings"]) == 1


def test_an_image_that_cannot_be_verified_has_no_line(
    verify: Csf, images: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a warning, and an entry in the document."""

    def busy(*_: object) -> None:
        raise LockBusy("It is held.", "Wait.")

    monkeypatch.setattr(all_images, "verify", busy)
    code, _, err = verify()
    assert code == ExitCode.DONE
    assert [line.partition(" localhost:")[0] for line in err.splitlines()] == [
        *["warning:"] * 3,
        "Verified 0 images in",
    ]
    said = facts(verify("-json"))
    assert [one["outcome"] for one in said["images"]] == ["not verified"] * 3
    assert [one["error"] for one in said["images"]] == ["It is held."] * 3


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-image-file", "localhost:/b/a.img", "-image-dir", "localhost:/b"),
        ("-image-file", "localhost:/b/a.img", "-older-than", "30d"),
        ("-image-file", "localhost:/b/a.img", "-budget", "2h"),
        ("-image-dir", "/b"),
        ("-image-dir", "localhost:/b", "-budget", "2"),
        ("-image-dir", "localhost:/b", "-image-dir", "localhost:/c"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(csf: Csf, words: tuple[str, ...]) -> None:
    """No host is asked."""
    code, out, _ = csf("admin_database_verify", *words, "-json")
    assert (code, json.loads(out)["exit_code"]) == (ExitCode.USAGE, ExitCode.USAGE)


@pytest.mark.remote
def test_all_images_of_another_host_are_verified_in_one_login(
    csf: Csf,
    place: Place,
    images: list[str],
    tools: Tools,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of the images is damaged."""
    rot(images[0])
    (tmp_path / "sshd").mkdir()
    path = f"{tools.directory}:{os.environ['PATH']}"
    server = Sshd(tmp_path / "sshd", {"HOME": str(tmp_path), "PATH": path})
    server.start()
    monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
    try:
        said = facts(csf("admin_database_verify", "-image-dir", f"remote:{place.images}", "-json"))
        assert server.logins() == 1
    finally:
        server.stop()
    assert [one["outcome"] for one in said["images"]] == ["sound", "sound", "at fault"]
    assert said["exit_code"] == ExitCode.FAULT_FOUND
