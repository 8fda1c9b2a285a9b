"""admin_database_prove as csf runs it: exit codes, sentences, JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")


def prove(csf: Csf, place: Place, *options: str) -> tuple[int, str, str]:
    """Run the command."""
    return csf("admin_database_prove", "-image-file", f"localhost:{place.image}", *options)


@pytest.fixture
def orphan(csf: Csf, place: Place) -> Place:
    """Return a place with an image whose csf was killed, and whose osbackup has succeeded."""
    image = ("-image-file", f"localhost:{place.image}")
    assert csf("admin_database_backup", "-database", place.master, *image)[0] == 0
    os.unlink(f"{place.image}.receipt.json")
    os.mkdir(f"{place.image}.run")
    for name, text in (("status", "0\n"), ("started", "2026-11-23T02:10:00Z\n")):
        with open(f"{place.image}.run/{name}", "w") as file:
            file.write(text)
    return place


def test_a_proof_is_one_line(csf: Csf, orphan: Place) -> None:
    """The line has the image, and says that the receipt was written."""
    code, out, err = prove(csf, orphan)
    (line,) = err.splitlines()
    assert (code, out) == (ExitCode.DONE, "")
    assert line.startswith(
        f"Proved localhost:{orphan.image}, and wrote its receipt: 10.2 kB, 2 databases of "
    )
    assert ", backup begun 2026-11-23T02:10:00+00:00, backup 1; SHA-256 " in line


def test_the_second_proof_says_that_there_is_nothing_to_do(csf: Csf, orphan: Place) -> None:
    """The message names the command that checks an image with a receipt."""
    assert prove(csf, orphan)[0] == ExitCode.DONE
    code, out, err = prove(csf, orphan)
    (line,) = err.splitlines()
    assert (code, out) == (ExitCode.DONE, "")
    assert line.startswith(
        f"localhost:{orphan.image} has its receipt already, and nothing was changed: 10.2 kB, "
    )
    assert line.endswith(f"csf admin_database_verify -image-file localhost:{orphan.image}")


def test_json_is_one_document(csf: Csf, orphan: Place) -> None:
    """It says whether the receipt was written, and has the warnings."""
    os.unlink(f"{orphan.master}.manifest")
    for written in (True, False):
        code, out, err = prove(csf, orphan, "-json")
        document = json.loads(out)
        assert (code, err) == (ExitCode.DONE, "")
        assert document["command"] == "admin_database_prove"
        assert document["image"] == orphan.image
        assert document["receipt_written"] is written
        assert (document["number"], document["findings"]) == (None, [])
        assert len(document["warnings"]) == written
        assert set(document["databases"].values()) == {None}
    assert "without a number" in prove(csf, orphan)[2]


def test_an_image_that_cannot_be_proven_is_41_with_every_reason(csf: Csf, orphan: Place) -> None:
    """The reasons are lines, and in the document."""
    with open(f"{orphan.image}.run/status", "w") as file:
        file.write("3\n")
    code, out, err = prove(csf, orphan, "-json")
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.IMAGE_UNPROVEN
    assert document["findings"] == ["osbackup failed: exit 3, and printed nothing."]
    assert "  osbackup failed: exit 3" in err


def test_latest_has_its_receipt_and_is_a_usage_error(csf: Csf, place: Place) -> None:
    """A name that cannot be an image's is a usage error, too."""
    place.image = str(place.images / "latest")
    code, _, err = prove(csf, place)
    assert (code, "has its receipt" in err) == (ExitCode.USAGE, True)
    place.image = "not/absolute"
    assert prove(csf, place)[0] == ExitCode.USAGE


def test_the_lock_is_waited_for_as_long_as_is_said(
    csf: Csf, orphan: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option counts, or else the environment."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "never")
    assert prove(csf, orphan)[0] == ExitCode.USAGE
    assert prove(csf, orphan, "-wait", "0")[0] == ExitCode.DONE
