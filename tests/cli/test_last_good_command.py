"""admin_database_drill -last-good as csf runs it: exit codes, sentences, JSON, ssh."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from sshd import Sshd

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

OSRESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""


@pytest.fixture
def search(csf: Csf, place: Place, tools: Tools, tmp_path: Path) -> Csf:
    """Return a function that searches three images, two of them with a corrupt database."""
    tools.write("osrestore", OSRESTORE)
    tools.write("osverifydb", '! grep -q rotten "$1"')
    (tmp_path / "scratch").mkdir()
    for number, data in enumerate((b"sound", b"rotten", b"rotten"), start=1):
        (place.repository / "Book.db").write_bytes(data * 100)
        image = f"localhost:{place.images}/{number}.img"
        made = csf("admin_database_backup", "-database", place.master, "-image-file", image)
        assert made[0] == 0
    words = ("-database", place.master, "-scratch-dir", str(tmp_path / "scratch"), "-last-good")

    def run(*options: str, host: str = "localhost") -> tuple[int, str, str]:
        directory = ("-image-dir", f"{host}:{place.images}")
        return csf("admin_database_drill", *directory, *words, *options)

    return run


def facts(result: tuple[int, str, str]) -> dict[str, Any]:
    """Return what a document says."""
    found: dict[str, Any] = json.loads(result[1])
    assert found["exit_code"] == result[0]
    return found


def test_the_last_good_image_is_reported(search: Csf, place: Place) -> None:
    """There is a line for each image, then the conclusion and the next step."""
    code, out, err = search()
    lines = [line for line in err.splitlines() if not line.startswith("  ")]
    assert (code, out) == (ExitCode.FAULT_FOUND, "")
    images = [f"localhost:{place.images}/{number}.img" for number in (1, 2, 3)]
    assert [line.split(": ")[0] for line in lines[:2]] == [
        f"at fault {images[2]}",
        f"at fault {images[1]}",
    ]
    assert lines[2].startswith(f"at fault {images[2]}: backup 3 (begun 20")
    assert lines[2].endswith("), 1 finding")
    assert lines[4].startswith(f"Restored {images[0]} for trial: 2 databases ")
    assert lines[5].startswith(f"Error: The last good image of {place.master} is {images[0]}, ")
    assert "; corrupt since between backup 1 (begun 20" in lines[5]
    assert f"-image-file {images[0]}" in lines[-1]


def test_where_the_newest_is_good_that_is_all(search: Csf, place: Place) -> None:
    """The exit code is 0."""
    for number in (2, 3):
        os.unlink(place.images / f"{number}.img.receipt.json")
        os.unlink(place.images / f"{number}.img.dbn")
    code, _, err = search()
    restored, conclusion = err.splitlines()
    assert code == ExitCode.DONE
    assert restored.startswith("Restored localhost:")
    assert conclusion.startswith(f"The newest image of {place.master} is good: localhost:")
    said = facts(search("-json"))
    assert (said["drilled"], said["corrupt_between"], said["findings"]) == (True, None, [])
    assert said["last_good"]["image"] == f"{place.images}/1.img"


def test_json_is_one_document(search: Csf, place: Place) -> None:
    """A program learns between which two backups the damage came."""
    said = facts(search("-json"))
    assert [one["outcome"] for one in said["images"]] == ["at fault", "at fault", "sound"]
    assert [one["number"] for one in said["corrupt_between"]] == [1, 2]
    assert said["last_good"]["number"] == 1
    assert said["newest"] == f"{place.images}/3.img"
    assert len(said["findings"]) == 2
    assert said["master"] == place.master


def test_where_none_is_good_the_document_has_none(search: Csf, place: Place) -> None:
    """The exit code is 50."""
    for ending in ("", ".dbn", ".receipt.json"):
        os.unlink(place.images / f"1.img{ending}")
    said = facts(search("-json"))
    assert said["exit_code"] == ExitCode.FAULT_FOUND
    assert (said["last_good"], said["drilled"], said["corrupt_between"]) == (None, False, None)


@pytest.mark.usefixtures("tools")
def test_a_directory_that_is_not_filled_yet_is_a_warning(csf: Csf, place: Place) -> None:
    """The exit code is 0, and the document says that nothing was drilled."""
    (other := place.images.parent / "other").mkdir()
    tops = [f"localhost:{place.images}", f"localhost:{other}"]
    rotate = ("-image-dir", tops[0], "-image-dir", tops[1], "-every", "1d")
    assert csf("admin_database_rotate", "-database", place.master, *rotate)[0] == 0
    (filled,) = [top for top in (place.images, other) if [*top.glob("*/*.receipt.json")]]
    (empty,) = {place.images, other} - {filled}
    words = ("-database", place.master, "-scratch-dir", str(place.images.parent), "-last-good")
    code, out, err = csf("admin_database_drill", "-image-dir", f"localhost:{empty}", *words)
    assert (code, out) == (ExitCode.DONE, "")
    (image,) = filled.glob("*/*.img")
    assert err.splitlines() == [
        f"warning: localhost:{empty} has no image of {place.master} yet; none was drilled there",
        f"Nothing was drilled. The newest image of {place.master} is localhost:{image}.",
    ]
    said = facts(csf("admin_database_drill", "-image-dir", f"localhost:{empty}", *words, "-json"))
    assert (said["drilled"], said["last_good"], said["images"]) == (False, None, [])
    assert (said["newest"], said["image_dir"]) == (str(image), str(empty))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("-image-dir", "localhost:/b"),
        ("-image-dir", "localhost:/b", "-last-good"),
        ("-image-dir", "localhost:/b", "-database", "/r/lib.db"),
        ("-image-file", "localhost:/b/a.img", "-database", "/r/lib.db", "-last-good"),
        ("-image-file", "localhost:/b/a.img", "-image-dir", "localhost:/b", "-last-good"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(csf: Csf, words: tuple[str, ...]) -> None:
    """No host is asked."""
    code, _, err = csf("admin_database_drill", *words, "-scratch-dir", "/var/tmp")
    assert (code, err.startswith("Error: ")) == (ExitCode.USAGE, True)


@pytest.mark.remote
def test_another_host_is_searched_in_one_login(
    search: Callable[..., tuple[int, str, str]],
    tools: Tools,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of drilled images does not matter."""
    (tmp_path / "sshd").mkdir()
    path = f"{tools.directory}:{os.environ['PATH']}"
    server = Sshd(tmp_path / "sshd", {"HOME": str(tmp_path), "PATH": path})
    server.start()
    monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
    try:
        said = facts(search("-json", host="remote"))
        assert server.logins() == 1
    finally:
        server.stop()
    assert said["last_good"]["number"] == 1
