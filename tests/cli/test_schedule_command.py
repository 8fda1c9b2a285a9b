"""admin_database_schedule as csf runs it: the schedule on standard output, all else elsewhere."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.texts import from_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]


@pytest.fixture
def schedule(
    csf: Csf, place: Place, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Csf:
    """Return a function that runs the command as a separate csf, on the place's repository."""
    tools.write("csf", "exit 1")
    monkeypatch.setattr(sys, "argv", [str(tools.directory / "csf")])
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path / "state"))
    words = ("-database", place.master, "-image-dir", f"localhost:{place.images}")
    return lambda *options: csf("admin_database_schedule", *words, *options)


@pytest.mark.parametrize("form", ["cron", "cron.d", "systemd"])
def test_the_schedule_alone_is_on_standard_output(
    schedule: Csf, tools: Tools, place: Place, form: str
) -> None:
    """It can be redirected to a file; nothing is changed or recorded."""
    before = place.tree()
    code, out, err = schedule("-format", form)
    assert code == ExitCode.DONE
    assert f"{tools.directory}/csf admin_database_rotate -database {place.master} " in out
    assert (out[0], out[-1], out[-2:] == "\n\n") == ("#", "\n", False)
    assert all(line.startswith("warning: ") for line in err.splitlines()[:-1])
    assert err.splitlines()[-1].startswith("Nothing was installed: ")
    assert place.tree() == before
    assert not (place.images.parent / "state").exists()


def test_names_are_on_standard_output_as_they_are(
    schedule: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes may be no text; in the document, text stands for them."""
    odd = os.fsdecode(os.fsencode(place.images.parent) + b"/\xff \xe4%")
    os.mkdir(odd)
    words = ("-image-dir", f"localhost:{odd}", "-format", "cron")
    document = json.loads(schedule(*words, "-json")[1])
    printed = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(printed, "utf-8", write_through=True))
        assert schedule(*words)[0] == ExitCode.DONE
        text = printed.getvalue()
    assert b"/\xff \xe4'\\%" in text
    assert os.fsencode(from_text(document["files"][0]["text"])) == text


def test_a_document_has_each_file_apart(schedule: Csf) -> None:
    """It has the name of each file."""
    code, out, err = schedule("-format", "systemd", "-at", "05:07", "-json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["format"], found["hour"], found["minute"]) == ("systemd", 5, 7)
    for file in found["files"]:
        assert file["path"] == f"/etc/systemd/system/{file['name']}"
        assert file["text"].startswith(f"# {file['path']}\n[Unit]\n")
    assert any("no drill is scheduled" in text for text in found["warnings"])
    assert "systemctl enable --now " in found["install"]
    (own,) = json.loads(schedule("-format", "cron", "-json")[1])["files"]
    assert (own["name"], own["path"]) == (None, None)


def test_each_option_of_the_rotation_is_in_its_line(schedule: Csf, place: Place) -> None:
    """-wait is there only if given: its variable is in the schedule anyway."""
    options = ("-no-checksum", "-require-mount", "-accept-small", "-strict", "-wait", "5")
    kept = ("-keep-dated", "4", "-keep-monthly", "12", "-keep-yearly", "7", "-dated-day", "friday")
    drilled = ("-drill-every", "7d", "-scratch-dir", "/var/tmp", "-timeout", "90")
    _, out, _ = schedule("-format", "cron", *options, *kept, *drilled)
    (line,) = (one for one in out.splitlines() if "admin_database_rotate" in one)
    tail = line.partition(f"{place.images} ")[2]
    assert tail == (
        "-dated-day friday -keep-dated 4 -keep-monthly 12 -keep-yearly 7 -drill-every 7d "
        "-scratch-dir /var/tmp -every 24h -wait 5 -timeout 90 -no-checksum -require-mount "
        "-accept-small -strict -quiet"
    )
    assert "-wait" not in schedule("-format", "cron")[1]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), ExitCode.USAGE),
        (("-format", "at"), ExitCode.USAGE),
        (("-format", "cron", "-at", "noon"), ExitCode.USAGE),
        (("-format", "cron", "-drill-every", "7d"), ExitCode.USAGE),
        (("-format", "cron", "-image-dir", "db9:/b"), ExitCode.USAGE),
    ],
)
def test_what_no_rotation_would_take_is_refused(
    schedule: Csf, options: tuple[str, ...], code: ExitCode
) -> None:
    """Standard output, which may be a file, stays empty."""
    assert schedule(*options)[:2] == (code, "")


def test_a_wait_that_no_rotation_would_take_is_refused(
    schedule: Csf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be written into the schedule."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "soon")
    assert schedule("-format", "cron")[:2] == (ExitCode.USAGE, "")


def test_a_repository_or_a_host_that_is_not_there_is_refused(schedule: Csf, csf: Csf) -> None:
    """The exit codes are those of a rotation."""
    words = ("admin_database_schedule", "-format", "cron", "-database", "/nowhere/lib.db")
    assert csf(*words, "-image-dir", "localhost:/b")[0] == ExitCode.REPOSITORY_NOT_FOUND
    assert csf(*words, "-image-dir", "nowhere.invalid:/b")[0] == ExitCode.HOST_UNREACHABLE
    assert schedule("-format", "cron")[0] == ExitCode.DONE
