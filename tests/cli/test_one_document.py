"""With -json, standard output has one document for every outcome of every command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from csf_backup_plugin.cancellation import SIGNALS
from csf_backup_plugin.cli import COMMANDS, runner
from csf_backup_plugin.cli.document import encoded
from csf_backup_plugin.cli.report import report_error
from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local.host import LocalHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

NAMES = [str(command.name) for command in COMMANDS]
# Those that work with a host in this process; a fleet's jobs are processes of their own.
WORKING = [name for name in NAMES if name != "admin_database_fleet"]
PROGRAM = (
    "import sys, click; from csf_backup_plugin import plugin\n"
    "csf = click.Group('csf'); plugin.register_commands(csf); csf(sys.argv[1:])"
)


@pytest.fixture(autouse=True)
def _csf(tools: Tools) -> None:
    """Put a csf on PATH, which a schedule needs."""
    tools.write("csf", "exit 1")


def words(name: str, place: Place) -> list[str]:
    """Return a command line of a command, without -json."""
    image = ["-image-file", f"localhost:{place.image}"]
    master = ["-database", place.master]
    return {
        "admin_database_backup": [name, *master, *image],
        "admin_database_manifest": [name, *master],
        "admin_database_restore": [name, *master, *image, "-yes"],
        "admin_database_rotate": [name, *master, "-image-dir", f"localhost:{place.images}"],
        "admin_database_schedule": [
            *(name, *master, "-image-dir", f"localhost:{place.images}", "-format", "cron"),
        ],
        "admin_database_status": [name, "-image-dir", f"localhost:{place.images}"],
        "admin_database_copy": [name, *image, "-to", f"localhost:{place.repository}"],
        "admin_database_drill": [name, *image, "-scratch-dir", str(place.images)],
    }.get(name, [name, *image])


def failed(result: tuple[int, str, str]) -> dict[str, Any]:
    """Return the document of a failure; check that it has the printed message."""
    code, out, err = result
    (line,) = out.splitlines()
    document: dict[str, Any] = json.loads(line)
    assert document["schema"] == "csf-backup/outcome/1"
    assert document["exit_code"] == code != 0
    assert all(document[key] for key in ("command", "error", "left", "next_step"))
    assert document["error"] in err
    assert "Traceback" not in err
    return document


def strike(monkeypatch: pytest.MonkeyPatch, act: Callable[[LocalHost], None]) -> None:
    """Run something before each look at the host's files, by whatever operation."""

    def before(look: Callable[..., Any]) -> Callable[..., Any]:
        def struck(host: LocalHost, paths: Any) -> Any:
            act(host)
            return look(host, paths)

        return struck

    for name in ("look", "stat"):
        monkeypatch.setattr(LocalHost, name, before(getattr(LocalHost, name)))


@pytest.mark.parametrize("json_word", ["-json", "--json"])
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (["-databse", "/m"], "No such option"),
        ([], "Missing option"),
        (["-image-file"], "requires an argument"),
        (["more"], "belongs to no option"),
        (["--", "more"], "belongs to no option"),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_command_line_is_reported_as_a_document(
    csf: Csf, name: str, wrong: list[str], problem: str, json_word: str
) -> None:
    """-json may stand anywhere, also after the mistake; without it there is only text."""
    for line in ([json_word, *wrong], [*wrong, json_word]):
        document = failed(csf(name, *line))
        assert (document["exit_code"], document["command"]) == (ExitCode.USAGE, name)
        told = (problem, "looks like an option", "No such option")
        assert any(words in document["error"] for words in told)
        assert f"csf {name} -help" in document["next_step"]
    for line in (wrong, [*wrong, "json"]):
        code, out, err = csf(name, *line)
        assert (code, out, "Error: " in err) == (ExitCode.USAGE, "", True)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("admin_database_backup", "-wait=soon"),
        ("admin_database_restore", "-timeout=nan"),
        ("admin_database_backup", "-strict=yes"),
        ("admin_database_verify", "-json=yes"),
        ("admin_database_manifest", "-host=-x"),
    ],
)
def test_a_wrong_value_is_reported_as_a_document(
    csf: Csf, place: Place, name: str, option: str
) -> None:
    """Either click or the command itself finds it."""
    document = failed(csf(*words(name, place), option, "-json"))
    assert document["exit_code"] == ExitCode.USAGE


@pytest.mark.parametrize("name", WORKING)
def test_what_nobody_has_thought_of_is_a_fault_of_ours(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The message has the error and its place, and asks for a report; there is no traceback."""

    def fail(_: LocalHost) -> NoReturn:
        raise ZeroDivisionError("a\nb\x1b")

    strike(monkeypatch, fail)
    document = failed(csf(*words(name, place), "-json"))
    assert document["exit_code"] == ExitCode.UNEXPECTED
    assert "a fault of csf-backup-plugin; please report it" in document["error"]
    assert "ZeroDivisionError: a b\\x1b (" in document["error"]
    assert "is not known" in document["left"]
    code, out, err = csf(*words(name, place))
    assert (code, out, "Traceback" in err) == (1, "", False)
    assert "please report it" in err


def test_an_unexpected_error_under_way_takes_back_what_was_made(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says so."""
    before = place.tree()
    monkeypatch.setattr(LocalHost, "sync", lambda *_: None + 1)  # type: ignore[operator]
    document = failed(csf(*words("admin_database_backup", place), "-json"))
    assert document["exit_code"] == ExitCode.UNEXPECTED
    assert document["left"].startswith("What this run had created was removed")
    assert place.tree().keys() - before.keys() <= {f"{place.master}.lock"}


def test_an_unexpected_error_of_a_restore_tells_the_state_of_every_database(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command's other errors do that, too."""
    assert csf(*words("admin_database_backup", place))[0] == 0
    monkeypatch.setattr(LocalHost, "start", lambda *_: None + 1)  # type: ignore[operator]
    document = failed(csf(*words("admin_database_restore", place), "-json"))
    assert document["exit_code"] == ExitCode.UNEXPECTED
    assert document["left"].startswith("No database was changed.")
    assert set(document["databases"]) == {place.master, f"{place.repository}/Book.db"}


def test_an_ssh_that_this_machine_cannot_run_is_reported(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither the host's fault nor the plugin's."""

    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("csf_backup_plugin.hosts.ssh.shell.subprocess.Popen", full)
    place.image = "x:" + place.image
    line = ["admin_database_verify", "-image-file", f"db9:{place.images}/a.img", "-json"]
    document = failed(csf(*line))
    assert document["exit_code"] == ExitCode.HOST_UNREACHABLE
    assert "this machine cannot run ssh: Cannot allocate memory" in document["error"]
    assert document["left"] == "Nothing was created or changed."


@pytest.mark.parametrize("signum", SIGNALS)
@pytest.mark.parametrize("name", WORKING)
def test_a_signal_is_reported_as_a_document(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, name: str, signum: signal.Signals
) -> None:
    """The exit code is 128 and the signal's number."""

    def kill(host: LocalHost) -> None:
        os.kill(os.getpid(), signum)
        host.cancellation.check()

    strike(monkeypatch, kill)
    document = failed(csf(*words(name, place), "-json"))
    assert document["exit_code"] == 128 + signum
    assert signum.name in document["error"]


def test_a_signal_while_a_failure_is_reported_changes_nothing(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is complete, with the exit code of the failure."""

    def struck(name: str, error: BackupError) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        report_error(name, error)

    monkeypatch.setattr(runner, "report_error", struck)
    os.unlink(place.master)
    document = failed(csf(*words("admin_database_backup", place), "-json"))
    assert document["exit_code"] == ExitCode.REPOSITORY_NOT_FOUND


@pytest.mark.parametrize("name", WORKING)
def test_a_keyboard_interrupt_that_nobody_expects_is_one_too(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The command ends as with SIGINT."""

    def interrupt(_: LocalHost) -> NoReturn:
        raise KeyboardInterrupt

    strike(monkeypatch, interrupt)
    document = failed(csf(*words(name, place), "-json"))
    assert document["exit_code"] == 130
    assert f"csf {name} was stopped by SIGINT" in document["error"] or name in document["command"]


@pytest.mark.parametrize("name", WORKING)
def test_a_refusal_is_reported_as_a_document(csf: Csf, place: Place, name: str) -> None:
    """The image or the repository does not exist."""
    os.unlink(place.master)
    document = failed(csf(*words(name, place), "-json"))
    assert document["exit_code"] in (ExitCode.REPOSITORY_NOT_FOUND, ExitCode.FAULT_FOUND, 41, 70)


def test_a_dry_run_that_would_be_refused_says_why(csf: Csf, place: Place) -> None:
    """The document also has the facts of the dry run."""
    assert csf(*words("admin_database_backup", place))[0] == 0
    (place.repository / "New.db").write_bytes(b"x")
    line = words("admin_database_restore", place)
    code, out, _ = csf(*line, "-dry-run", "-json")
    dry = json.loads(out)
    real = failed(csf(*line, "-json"))
    assert code == dry["exit_code"] == real["exit_code"] == ExitCode.EXTRA_DATABASES
    assert dry["dry_run"]
    assert "-quarantine" in dry["next_step"]  # their names have the time
    for key in ("error", "left", "extra"):
        assert dry[key] == real[key]


def test_differences_say_what_to_do(csf: Csf, place: Place) -> None:
    """The document has their number, and lists of them."""
    line = [*words("admin_database_manifest", place), "-json"]
    assert csf(*line[:-1], "-rebuild")[0] == 0
    (place.repository / "Book.db").unlink()
    (place.repository / "New.db").write_bytes(b"x")
    code, out, _ = csf(*line)
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.REPOSITORY_INCOMPLETE
    assert "1 not in the manifest, 1 in the manifest and not on disk" in document["error"]
    assert document["left"] == "Nothing was created or changed."
    assert "-rebuild" in document["next_step"]
    assert csf(*line[:-1], "-rebuild")[0] == 0
    with open(f"{place.master}.manifest", "a") as file:
        file.write("+ 00")
    document = json.loads(csf(*line)[1])
    assert "differ: a line of the manifest was cut short" in document["error"]


def test_warnings_under_strict_say_what_was_left(csf: Csf, place: Place) -> None:
    """The image is made nevertheless, except in a dry run."""
    (place.repository / "old.db").mkdir()
    line = [*words("admin_database_backup", place), "-strict", "-json"]
    dry = json.loads(csf(*line, "-dry-run")[1])
    document = json.loads(csf(*line)[1])
    assert dry["exit_code"] == document["exit_code"] == ExitCode.WARNINGS
    assert dry["left"] == "Nothing was created or changed."
    assert "made and proven" in document["left"]
    assert document["error"]
    assert document["next_step"]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (os.fsdecode(b"a\xff"), "a\\xff"),
        ("half a character: \ud800", "half a character: \\ud800"),
        (float("nan"), None),
        (1.5, 1.5),
        (b"bytes", "b'bytes'"),
        (("a", {"b"}), ["a", ["b"]]),
        ({1: True, None: ExitCode.DONE}, {"1": True, "None": 0}),
    ],
)
def test_whatever_is_in_a_document_it_is_one_line_of_json(value: object, plain: object) -> None:
    """This holds for values that JSON does not know, too."""
    text = encoded({"value": value})
    assert json.loads(text, parse_constant=pytest.fail) == {"value": plain}
    assert (text.isascii(), len(text.splitlines())) == (True, 1)


@pytest.mark.parametrize("how", ["full", "closed", "gone"])
def test_a_backup_whose_outcome_cannot_be_printed_is_no_failed_one(place: Place, how: str) -> None:
    """The exit code is the backup's, and its message is on standard error."""
    command = [sys.executable, "-c", PROGRAM, *words("admin_database_backup", place), "-json"]
    ended = subprocess.run(redirected(command, how, 1), stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "the outcome, exit code 0, could not be printed as JSON: " in ended.stderr
    assert f"Backed up 2 databases (1.3 kB) of {place.master}" in ended.stderr
    assert "Exception" not in ended.stderr
    assert os.path.exists(f"{place.image}.receipt.json")


@pytest.mark.parametrize("how", ["full", "closed", "gone"])
@pytest.mark.parametrize("option", ["-no-checksum", "-json", "-databse"])
def test_a_standard_error_that_takes_nothing_changes_no_exit_code(
    place: Place, how: str, option: str
) -> None:
    """This holds after a success, a refusal or a usage error."""
    line = [sys.executable, "-c", PROGRAM, *words("admin_database_backup", place), option]
    command = redirected(line, how, 2)
    for code in (2, 2) if option == "-databse" else (0, 10):
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        assert (ended.returncode, bool(ended.stdout)) == (code, option == "-json")


def redirected(command: list[str], how: str, descriptor: int) -> list[str]:
    """Return a command line that runs another one with a stream that cannot be written to."""
    to = {"full": f"{descriptor}>/dev/full", "closed": f"{descriptor}>&-", "gone": ""}[how]
    if to:
        return ["sh", "-c", f'exec "$@" {to}', "sh", *command]
    # The reading end of a pipe is closed before the command begins.
    closed = (
        "import os, sys; r, w = os.pipe(); os.close(r); os.dup2(w, int(sys.argv[1]));"
        "os.execvp(sys.argv[2], sys.argv[2:])"
    )
    return [sys.executable, "-c", closed, str(descriptor), *command]


def test_a_fault_in_telling_is_reported(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, tools: Tools
) -> None:
    """It is reported like any other bug."""
    monkeypatch.setattr("csf_backup_plugin.cli.backup_report.human", lambda _: 1 // 0)
    code, _, err = csf(*words("admin_database_backup", place))
    assert (code, "please report it" in err) == (1, True)
    assert len(tools.calls) == 1
