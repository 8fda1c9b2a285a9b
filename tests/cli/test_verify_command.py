"""admin_database_verify as csf runs it: exit codes, sentences, JSON."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")


def verify(csf: Csf, place: Place, *options: str) -> tuple[int, str, str]:
    """Run the command."""
    return csf("admin_database_verify", "-image-file", f"localhost:{place.image}", *options)


def backup(csf: Csf, place: Place, *options: str) -> None:
    """Make the image."""
    image = ("-image-file", f"localhost:{place.image}")
    assert csf("admin_database_backup", "-database", place.master, *image, *options)[0] == 0


def test_a_sound_image_is_one_line(csf: Csf, place: Place) -> None:
    """The line says what was verified and compared."""
    backup(csf, place)
    code, out, err = verify(csf, place)
    (line,) = err.splitlines()
    assert (code, out) == (ExitCode.DONE, "")
    assert line.startswith(f"Verified localhost:{place.image}: 10.2 kB, 2 databases of ")
    assert "image, import file and receipt agree, SHA-256 " in line


def test_without_a_checksum_the_line_says_so(csf: Csf, place: Place) -> None:
    """There is a warning before it."""
    backup(csf, place, "-no-checksum")
    code, _, err = verify(csf, place)
    warning, line = err.splitlines()
    assert code == ExitCode.DONE
    assert warning.startswith("warning: the receipt has no SHA-256")
    assert "no checksum" in line


def untimed(ended: tuple[int, str, str]) -> tuple[int, str, str]:
    """Return the result of a command without its duration."""
    code, out, err = ended
    return code, out, re.sub(r"in [0-9.]+ s", "in a while", err)


def test_quiet_prints_nothing_where_all_is_well(csf: Csf, place: Place) -> None:
    """A warning or a finding is printed as usual, and so is a document."""
    backup(csf, place, "-no-checksum")
    assert untimed(verify(csf, place, "-quiet")) == untimed(verify(csf, place))
    os.rename(place.image, f"{place.image}.old")
    assert verify(csf, place, "-quiet") == verify(csf, place)
    place.image = str(place.images / "b.img")
    backup(csf, place)
    assert verify(csf, place, "-quiet") == (0, "", "")
    assert json.loads(verify(csf, place, "-quiet", "-json")[1])["exit_code"] == 0


def test_a_copy_is_called_what_it_was_made_as(csf: Csf, place: Place) -> None:
    """A copy is recognised by its contents."""
    backup(csf, place)
    made = place.image
    place.image = str(place.images / "copy")
    for suffix in ("", ".dbn", ".receipt.json"):
        os.rename(made + suffix, place.image + suffix)
    assert f"{place.image}, made as localhost:{made}: " in verify(csf, place)[2]
    document = json.loads(verify(csf, place, "-json")[1])
    assert document["made_as"] == {"host": "localhost", "image": made}


def test_json_is_one_document(csf: Csf, place: Place) -> None:
    """Nothing else is printed."""
    backup(csf, place)
    place.image = str(place.images / "latest")
    code, out, err = verify(csf, place, "-json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["command"] == "admin_database_verify"
    assert document["image"] == str(place.images / "a.img")
    assert (document["findings"], document["warnings"]) == ([], [])
    assert document["databases"][place.master] == 600
    with open(document["receipt"]) as file:
        facts = json.load(file)
    assert (document["repository_id"], document["number"]) == (facts["repository_id"], 1)


def test_the_repository_may_be_named(csf: Csf, place: Place) -> None:
    """An image of another repository is refused; an invalid path is a usage error."""
    backup(csf, place)
    assert verify(csf, place, "-database", place.master)[0] == ExitCode.DONE
    other = str(place.images / "lib.db")
    code, _, err = verify(csf, place, "-database", other)
    assert (code, f"{other} is another repository" in err) == (13, True)
    assert verify(csf, place, "-database", "lib.db")[0] == ExitCode.USAGE


def test_findings_are_lines_and_in_the_document(csf: Csf, place: Place) -> None:
    """The exit code is 50."""
    backup(csf, place)
    os.truncate(place.image, 100)
    os.unlink(f"{place.image}.dbn")
    code, out, err = verify(csf, place, "-json")
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.FAULT_FOUND
    assert len(document["findings"]) >= 2
    for finding in document["findings"]:
        assert f"\n  {finding}" in err


def test_an_image_without_a_receipt_is_a_finding(csf: Csf, place: Place) -> None:
    """The advice names the command that writes one."""
    backup(csf, place)
    os.unlink(f"{place.image}.receipt.json")
    os.mkdir(f"{place.image}.run")
    with open(f"{place.image}.run/status", "w") as file:
        file.write("0\n")
    code, _, err = verify(csf, place)
    assert code == ExitCode.FAULT_FOUND
    assert err.endswith(f"csf admin_database_prove -image-file localhost:{place.image}\n")


def test_an_image_that_is_none_is_a_usage_error(csf: Csf, place: Place) -> None:
    """A backup refuses it in the same way."""
    place.image = "not/absolute"
    assert verify(csf, place)[0] == ExitCode.USAGE
