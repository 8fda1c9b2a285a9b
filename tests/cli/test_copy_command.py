"""admin_database_copy as csf runs it: exit codes, sentences, JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rotating import resealed

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.image import receipt_format

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools
    from ledgers import Book

    Csf = Callable[..., tuple[int, str, str]]


@pytest.fixture
def to(tmp_path: Path) -> Path:
    """Return a directory for copies."""
    path = tmp_path / "copies"
    path.mkdir()
    return path


@pytest.fixture
def copy(csf: Csf, place: Place, to: Path, tools: Tools) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs the command on an existing image."""
    image = f"localhost:{place.image}"
    assert tools
    assert csf("admin_database_backup", "-database", place.master, "-image-file", image)[0] == 0
    words = ("-image-file", image, "-to", f"localhost:{to}")
    return lambda *options: csf("admin_database_copy", *words, *options)


def facts(result: tuple[int, str, str]) -> dict[str, Any]:
    """Return what a document says."""
    found: dict[str, Any] = json.loads(result[1])
    assert found["exit_code"] == result[0]
    return found


def test_a_copy_has_a_line(copy: Csf, place: Place, to: Path) -> None:
    """The line says what was copied and read again; the copy can be verified and drilled."""
    code, out, err = copy()
    assert (code, out) == (ExitCode.DONE, "")
    *warnings, line = err.splitlines()
    assert line.startswith(f"Copied localhost:{place.image} to localhost:{to}/a.img: ")
    assert "2 databases of " in line
    assert "backup 1; read again there, SHA-256 " in line
    (same_disk,) = warnings
    assert same_disk.startswith(f"warning: localhost:{to}/a.img lies on the same disk as ")


def test_a_copy_is_an_image_like_any(copy: Csf, csf: Csf, place: Place, to: Path) -> None:
    """It can be verified, drilled and restored, and may be the latest image of its directory."""
    assert copy()[0] == 0
    for image in (f"localhost:{to}/a.img", f"localhost:{to}/latest"):
        code, _, err = csf("admin_database_verify", "-image-file", image)
        assert (code, f"a copy of localhost:{place.image}" in err) == (0, True)
    scratch = ("-scratch-dir", str(to.parent))
    code, _, err = csf("admin_database_drill", "-image-file", f"localhost:{to}/a.img", *scratch)
    assert (code, f"a copy of localhost:{place.image}" in err) == (0, True)
    Path(place.master).write_bytes(b"lost")
    words = ("-database", place.master, "-image-file", f"localhost:{to}/a.img", "-yes")
    code, _, err = csf("admin_database_restore", *words)
    assert (code, f"a copy of localhost:{place.image}" in err) == (0, True)
    assert Path(place.master).read_bytes() == b"lib.db" * 100
    code, _, err = csf("admin_database_prove", "-image-file", f"localhost:{to}/a.img")
    assert (code, f"a copy of localhost:{place.image}" in err) == (0, True)


def test_a_copy_at_fault_is_to_be_made_again(copy: Csf, csf: Csf, place: Place, to: Path) -> None:
    """A new backup would not be a copy."""
    copy()
    (to / "a.img").write_bytes(b"damaged")
    code, _, err = csf("admin_database_verify", "-image-file", f"localhost:{to}/a.img")
    assert code == ExitCode.FAULT_FOUND
    typed = f"csf admin_database_copy -image-file localhost:{place.image} -to localhost:{to}"
    assert err.endswith(f"copy that again:\n{typed}\n")


def test_a_second_copy_finds_the_first(copy: Csf, place: Place, to: Path) -> None:
    """This is no failure."""
    assert copy()[0] == 0
    code, _, err = copy()
    assert code == 0
    assert f"localhost:{place.image} was copied to localhost:{to}/a.img already" in err
    assert "Copied" not in err
    assert not facts(copy("-json"))["made_now"]


def test_a_dry_run_says_what_would_be(copy: Csf, to: Path) -> None:
    """Nothing is created."""
    code, _, err = copy("-dry-run", "-keep", "1")
    assert code == 0
    assert "Dry run: would copy localhost:" in err
    assert f"kept localhost:{to}/a.img: newest of all; newest of " in err
    assert list(to.iterdir()) == []


def test_the_document_says_where_it_was_copied_from(copy: Csf, place: Place, to: Path) -> None:
    """It also has all facts of an image."""
    said = facts(copy("-json"))
    assert (said["host"], said["image"], said["made_now"]) == ("localhost", f"{to}/a.img", True)
    told = said["copied_from"]
    assert (told["host"], told["image"]) == ("localhost", place.image)
    assert (said["number"], said["run_id"], said["removed"]) == (1, None, [])
    assert facts(copy("-json", "-dry-run"))["dry_run"]


def image_of(place: Place, number: int) -> str:
    """Return an image of a later backup."""
    path = str(place.images / f"{number}.img")
    for ending in ("", ".dbn"):
        shutil.copy(place.image + ending, path + ending)
    at = f"2026-11-{number:02}T02:10:00+00:00"
    told = resealed(f"{place.image}.receipt.json", image=path, number=number, started=at)
    Path(f"{path}.receipt.json").write_bytes(told)
    return f"localhost:{path}"


@pytest.mark.usefixtures("copy")
def test_copies_that_are_not_kept_go(csf: Csf, place: Place, to: Path) -> None:
    """Each line has the reason; if many would be removed, none is until the user accepts it."""
    command = ("admin_database_copy", "-to", f"localhost:{to}", "-image-file")
    for number in range(2, 6):
        assert csf(*command, image_of(place, number))[0] == 0
    result = csf(*command, image_of(place, 6), "-keep", "2", "-json")
    said = facts(result)
    assert (said["exit_code"], said["made_now"]) == (ExitCode.WITHHELD, True)
    assert said["left"] == "All older copies are as they were."
    assert "3 copies would be removed, which is more than 2: localhost:" in result[2]
    assert f"Error: localhost:{to}/6.img is there. Nothing was deleted:" in result[2]
    assert len([*to.glob("*.img")]) == 5
    code, _, err = csf(*command, image_of(place, 6), "-keep", "2", "-dry-run")
    assert code == ExitCode.WITHHELD
    assert "Error: Dry run: nothing would be deleted:" in err
    code, _, err = csf(*command, image_of(place, 6), "-keep", "2", "-yes")
    assert code == 0
    assert f"deleted localhost:{to}/2.img: no retention option keeps it (copies 2)" in err
    assert f"kept localhost:{to}/5.img: newest of 2026-11-05, copies 2 of 2" in err
    assert sorted(path.name for path in to.glob("*.img*")) == [
        *("5.img", "5.img.dbn", "5.img.receipt.json"),
        *("6.img", "6.img.dbn", "6.img.receipt.json"),
    ]
    said = facts(csf(*command, image_of(place, 7), "-keep", "1", "-json"))
    assert said["removed"] == [f"{to}/5.img", f"{to}/6.img"]
    assert [one["keep"] for one in said["plan"]] == [False, False, True]
    assert sorted(path.name for path in to.glob("*.img")) == ["7.img"]


def test_what_stands_there_is_reported(copy: Csf, to: Path) -> None:
    """Nothing is overwritten."""
    (to / "a.img").write_bytes(b"somebody's")
    assert copy()[0] == ExitCode.IMAGE_EXISTS
    assert (to / "a.img").read_bytes() == b"somebody's"


def test_a_copy_is_an_attempt(book: Book, copy: Csf, to: Path) -> None:
    """The ledger has the copy's name; a dry run is not recorded."""
    copy("-dry-run")
    copy()
    (line,) = [one for one in book.read().attempts if one.command == "admin_database_copy"]
    assert (line.image, line.exit_code) == (f"localhost:{to}/a.img", 0)


def test_a_receipt_tells_of_its_copy(copy: Csf, place: Place, to: Path) -> None:
    """The original's receipt is similar."""
    copy()
    made = receipt_format.decode((to / "a.img.receipt.json").read_bytes())
    assert made.copied
    assert made.copied.image.name == f"localhost:{place.image}"
