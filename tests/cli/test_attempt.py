"""Each attempt of a command is in the ledger, however it ends; the ledger fails no command."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from ledgers import Book

from csf_backup_plugin.attempts.outcomes import outcome_of
from csf_backup_plugin.attempts.recording import Recording
from csf_backup_plugin.cli import COMMANDS
from csf_backup_plugin.cli.attempt import RECORDED
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local.host import LocalHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

PROGRAM = (
    "import sys, click; from csf_backup_plugin import plugin\n"
    "csf = click.Group('csf'); plugin.register_commands(csf); csf(sys.argv[1:])"
)


def backup(place: Place, *options: str) -> list[str]:
    """Return the command line that backs `place` up."""
    image = f"localhost:{place.image}"
    return ["admin_database_backup", "-database", place.master, "-image-file", image, *options]


def last(book: Book) -> dict[str, Any]:
    """Return the last line, which is an end; its begin is before it."""
    assert book.running() == []
    *_, begin, end = book.lines()
    assert (begin["event"], end["event"]) == ("begin", "end")
    assert begin["attempt"] == end["attempt"]
    return end


def test_every_command_is_in_the_ledger_or_is_known_not_to_be() -> None:
    """The author of a new command must decide."""
    assert {str(one.name) for one in COMMANDS} - RECORDED == {
        "admin_database_fleet",
        "admin_database_manifest",
        "admin_database_schedule",
        "admin_database_status",
    }


def test_a_backup_says_what_it_has_made(csf: Csf, place: Place, book: Book) -> None:
    """The ledger has the same facts as a program gets."""
    assert csf(*backup(place))[0] == 0
    end = last(book)
    assert {key: end[key] for key in ("command", "host", "image", "database", "exit_code")} == {
        "command": "admin_database_backup",
        "host": "localhost",
        "image": f"localhost:{place.image}",
        "database": place.master,
        "exit_code": 0,
    }
    assert (end["outcome"], end["number"], end["error"], end["run_id"]) == ("done", 1, None, None)
    assert end["bytes"] == os.stat(place.image).st_size
    assert len(end["repository_id"]) == 32
    assert end["seconds"] > 0


def test_what_reads_an_image_says_which_it_was(csf: Csf, place: Place, book: Book) -> None:
    """The begin has the name that was typed."""
    assert csf(*backup(place))[0] == 0
    latest = ["-image-file", f"localhost:{place.images}/latest"]
    for line in (
        ["admin_database_verify", *latest],
        ["admin_database_drill", *latest, "-scratch-dir", str(place.images)],
        ["admin_database_restore", *latest, "-database", place.master, "-yes"],
        ["admin_database_prove", f"-image-file=localhost:{place.image}"],
    ):
        assert csf(*line)[0] == 0
        end = last(book)
        assert (end["command"], end["outcome"], end["number"]) == (line[0], "done", 1)
        assert end["image"] == f"localhost:{place.image}"
        if latest[1] in line:
            assert book.lines()[-2]["image"] == latest[1]
        assert end["bytes"] > 0


def test_a_rotation_is_one_attempt_with_its_drill(csf: Csf, place: Place, book: Book) -> None:
    """Its end has the place, the run id, and whether the set was drilled."""
    (place.images / "a").mkdir()
    directory, scratch = f"localhost:{place.images}/a", place.images / "scratch"
    scratch.mkdir()
    line = ["admin_database_rotate", "-database", place.master, "-image-dir", directory]
    line += ["-slot", "2026-11-30", "-run-id", "night1"]
    assert csf(*line, "-drill-every", "7d", "-scratch-dir", str(scratch))[0] == 0
    end = last(book)
    assert len(book.lines()) == 2
    assert (end["image_dirs"], end["place"], end["run_id"]) == ([directory], "monday", "night1")
    assert (end["drilled"], end["host"], end["outcome"]) == (True, "localhost", "done")
    assert end["image"].startswith(f"{directory}/monday/")
    begin = book.lines()[0]
    assert (begin["image"], begin["host"], begin["run_id"]) == (None, "localhost", "night1")


def test_an_end_says_how_many_warnings_were_told(csf: Csf, place: Place, book: Book) -> None:
    """A backup with a failed directory is done, but somebody should look at the warning."""
    line = ["admin_database_rotate", "-database", place.master, "-json"]
    line += [
        "-image-dir",
        f"localhost:{place.images}",
        "-image-dir",
        f"localhost:{place.images}/no",
    ]
    code, out, _ = csf(*line)
    told = json.loads(out)["warnings"]
    assert any("does not exist" in warning for warning in told)
    end = last(book)
    assert (code, end["outcome"], end["warnings"]) == (0, "done", len(told))


def test_a_verification_of_all_images_is_one_attempt(csf: Csf, place: Place, book: Book) -> None:
    """Its end has the directory, and how many bytes were read."""
    assert csf(*backup(place))[0] == 0
    directory = f"localhost:{place.images}"
    assert csf("admin_database_verify", "-image-dir", directory)[0] == 0
    end = last(book)
    assert len(book.lines()) == 4
    assert (end["image_dirs"], end["host"]) == ([directory], "localhost")
    assert end["bytes"] == Path(place.image).stat().st_size


def test_a_command_without_an_option_is_an_attempt(csf: Csf, book: Book) -> None:
    """It is refused, and recorded like any other."""
    code, _, err = csf("admin_database_verify")
    assert (code, "warning: " in err) == (ExitCode.USAGE, False)
    assert last(book)["exit_code"] == ExitCode.USAGE


def test_a_refusal_is_an_attempt(csf: Csf, place: Place, book: Book) -> None:
    """The end has the first line of the message."""
    Path(place.image).touch()
    assert csf(*backup(place))[0] == ExitCode.IMAGE_EXISTS
    end = last(book)
    assert (end["outcome"], end["exit_code"]) == ("refused", ExitCode.IMAGE_EXISTS)
    assert f"{place.image} exists" in end["error"]
    assert "\n" not in end["error"]


def test_a_failure_is_an_attempt(csf: Csf, place: Place, tools: Tools, book: Book) -> None:
    """A long output of the utility does not matter."""
    tools.write("osbackup", "head -c 4000 /dev/zero | tr '\\0' x; exit 7")
    assert csf(*backup(place))[0] == ExitCode.OSBACKUP_FAILED
    end = last(book)
    assert (end["outcome"], end["exit_code"]) == ("failed", ExitCode.OSBACKUP_FAILED)
    assert 0 < len(end["error"]) <= 500


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (["-databse", "/m"], (None, None, None)),
        (["-database", "/m", "-image-file=db9:/a=b", "-x"], ("/m", "db9:/a=b", "db9")),
        (["--database=/m", "-image-file", "-json"], ("/m", None, None)),
        (["-image-file", "here", "more"], (None, "here", None)),
        (["-database"], ("", None, None)),
        (["-image-file", "half: \ud800"], (None, "half: \\ud800", "half")),
    ],
)
def test_a_wrong_command_line_is_an_attempt(
    csf: Csf, book: Book, wrong: list[str], named: tuple[str | None, ...]
) -> None:
    """As much of it is parsed as possible."""
    code, _, err = csf("admin_database_backup", *wrong)
    end = last(book)
    assert code == end["exit_code"] == ExitCode.USAGE
    assert (end["database"], end["image"], end["host"]) == named
    assert end["outcome"] == "refused"
    assert end["error"] in err


def test_what_the_command_itself_finds_wrong_is_one_attempt(
    csf: Csf, place: Place, book: Book
) -> None:
    """It is recorded like any other refusal."""
    place.image = "relative"
    assert csf(*backup(place))[0] == ExitCode.USAGE
    assert (last(book)["outcome"], len(book.lines())) == ("refused", 2)


@pytest.mark.parametrize(
    "words",
    [
        ["admin_database_backup", "-help"],
        ["admin_database_manifest"],
        ["admin_database_manifest", "-x"],
        ["admin_database_backup", "-dry-run", "-x"],
        ["admin_database_restore", "--dry-run=x"],
    ],
)
def test_what_only_shows_something_is_no_attempt(csf: Csf, book: Book, words: list[str]) -> None:
    """It does not matter whether it succeeds."""
    csf(*words)
    assert not book.file.exists()


def test_a_dry_run_is_no_attempt(csf: Csf, place: Place, book: Book) -> None:
    """It changes nothing; a name that looks like the option does not count as -dry-run."""
    assert csf(*backup(place, "-dry-run"))[0] == 0
    assert not book.file.exists()
    assert csf("admin_database_verify", "-image-file=-dry-run")[0] == ExitCode.USAGE
    assert book.file.exists()


def test_a_shell_that_completes_a_line_makes_no_attempt(book: Book) -> None:
    """The shell passes incomplete lines."""
    command = next(one for one in COMMANDS if one.name == "admin_database_backup")
    with pytest.raises(Exception, match="No such option"):
        command.make_context("csf", ["-x"], resilient_parsing=True)
    assert not book.file.exists()


def test_a_signal_stops_an_attempt(
    csf: Csf, place: Place, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end is neither a failure nor a refusal."""

    def stop(host: LocalHost, *_: object) -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        host.cancellation.check()
        raise AssertionError

    monkeypatch.setattr(LocalHost, "look", stop)
    assert csf(*backup(place))[0] == 143
    end = last(book)
    assert (end["outcome"], end["exit_code"]) == ("stopped", 143)


def test_what_nobody_has_thought_of_is_a_failure(
    csf: Csf, place: Place, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger has it as a failure."""

    def fail(*_: object) -> NoReturn:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(LocalHost, "look", fail)
    assert csf(*backup(place))[0] == ExitCode.UNEXPECTED
    assert (last(book)["outcome"], "ZeroDivisionError" in last(book)["error"]) == ("failed", True)


def test_a_csf_that_was_killed_is_entered_by_the_next(place: Place, book: Book) -> None:
    """It was killed while it waited for the repository's lock."""
    command = [sys.executable, "-c", PROGRAM, *backup(place, "-wait", "60")]
    with open(f"{place.master}.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while not (book.file.exists() and book.file.read_bytes().endswith(b"\n")):
            assert process.poll() is None
        process.kill()
        process.wait()
    assert subprocess.run([*command, "-x"], stderr=subprocess.DEVNULL).returncode == 2
    assert [one.outcome for one in book.read().attempts] == ["killed", "refused"]


def test_a_program_is_told_of_every_end(
    csf: Csf, place: Place, book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This includes usage errors and killed attempts; if the program fails, there is a warning."""
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "$CSF_BACKUP_OUTCOME" >> "$0.told"\nexit 9\n')
    program.chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_ON_FINISH", str(program))
    book.killed()
    codes = [csf(*backup(place, *more))[0] for more in (["-x"], ["-json"], ["-dry-run"], [])]
    assert codes == [2, 0, 10, 10]
    assert Path(f"{program}.told").read_text().split() == ["killed", "refused", "done", "refused"]
    told = (
        f"warning: the program that CSF_BACKUP_ON_FINISH names failed with exit status 9: {program}"
    )
    assert csf(*backup(place, "-x"))[2].count(told) == 1


@pytest.mark.parametrize("state", ["relative", "/dev/null/state", "/proc/state"])
def test_a_ledger_that_cannot_be_written_is_one_warning(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """The backup is made; the warning does not count for -strict."""
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", state)
    code, out, err = csf(*backup(place, "-json"))
    assert (code, "ledger of attempts" in out, bool(out)) == (0, False, True)
    told = "warning: the ledger of attempts cannot be written: "
    assert err.count(told) == 1
    assert state in err
    code, _, err = csf("admin_database_verify", "-x")
    assert (code, err.count(told), "No such option" in err) == (2, 1, True)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError()])
@pytest.mark.parametrize("when", ["begin", "end"])
def test_nothing_about_the_ledger_fails_a_command(
    csf: Csf,
    place: Place,
    book: Book,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    error: Exception,
) -> None:
    """The end is recorded even if the begin could not be."""

    def full(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(Recording, when, full)
    code, _, err = csf(*backup(place))
    assert (code, err.count("warning: the ledger of attempts cannot be written: ")) == (0, 1)
    assert [line["event"] for line in book.lines()] == ["end" if when == "begin" else "begin"]
    assert all(ord(sign) >= 32 for sign in err.replace("\n", ""))


def test_the_words_for_every_exit_code() -> None:
    """An unknown code is a failure."""
    words = {code: outcome_of(code) for code in (*ExitCode, 21, 80, 99, 128, 129, 143)}
    assert {code for code, word in words.items() if word == "done"} == {0, 3, 71}
    refused = {2, 10, 11, 12, 13, 14, 20, 21, 30, 32, 60}
    assert {code for code, word in words.items() if word == "refused"} == refused
    assert {code for code, word in words.items() if word == "stopped"} == {129, 143}
    assert set(words.values()) == {"done", "refused", "failed", "stopped"}
