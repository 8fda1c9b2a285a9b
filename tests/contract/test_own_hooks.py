"""The contract with plugins of this plugin: real distributions, loaded by the real pluggy."""

from __future__ import annotations

import inspect
import os
import re
import signal
import subprocess
import sys
import syslog
import textwrap
import threading
from typing import TYPE_CHECKING

import click
import pytest
from installed_plugins import Installed

from csf_backup_plugin import hookspecs, plugin
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hookspecs import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

BOTH = """
@hookimpl
def attempt_starting(attempt):
    told.append(attempt)
@hookimpl
def attempt_finished(outcome):
    told.append(outcome)
"""
PROGRAM = (
    "import sys, click; from csf_backup_plugin import plugin\n"
    "csf = click.Group('csf'); plugin.register_commands(csf); csf(sys.argv[1:])"
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Return an empty directory on the import path."""
    return Installed(tmp_path / "site", monkeypatch)


@pytest.fixture
def csf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Csf:
    """Return a csf with its own ledger; the output of programs is captured, too."""
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path / "state"))
    group = click.Group("csf")
    plugin.register_commands(group)

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            group.main([*words], "csf")
        code = caught.value.code
        assert isinstance(code, int)
        return code, *capfd.readouterr()

    return run


def backup(place: Place, *options: str) -> list[str]:
    """Return the command line that backs `place` up."""
    image = f"localhost:{place.image}"
    return ["admin_database_backup", "-database", place.master, "-image-file", image, *options]


def hook(name: str, body: str) -> str:
    """Return the source of a hook."""
    argument = {"attempt_starting": "attempt", "attempt_finished": "outcome"}[name]
    return f"\n@hookimpl\ndef {name}({argument}):\n{textwrap.indent(body, '    ')}\n"


def test_a_plugin_is_told_before_and_after(csf: Csf, place: Place, installed: Installed) -> None:
    """The values are plain, with one id; the second call has the facts found meanwhile."""
    installed.add("night", BOTH)
    assert csf(*backup(place))[0] == 0
    attempt, outcome = installed.told("night")
    assert isinstance(attempt, Attempt)
    assert isinstance(outcome, Outcome)
    image = f"localhost:{place.image}"
    assert attempt == Attempt(
        outcome.attempt,
        os.uname().nodename,
        "admin_database_backup",
        None,
        "localhost",
        image,
        (),
        place.master,
    )
    assert (outcome[:8], outcome.exit_code, outcome.outcome) == (attempt[:8], 0, "done")
    assert (outcome.bytes, outcome.number) == (os.stat(place.image).st_size, 1)
    assert len(outcome.repository_id or "") == 32
    assert (outcome.error, (outcome.seconds or 0) > 0) == (None, True)


@pytest.mark.parametrize(
    ("words", "code", "outcome"),
    [
        (["-image-file", "localhost:/nowhere/a.img"], ExitCode.FAULT_FOUND, "failed"),
        (["-image-file", "relative"], ExitCode.USAGE, "refused"),
        (["-image-file", "localhost:/a.img", "-databse"], ExitCode.USAGE, "refused"),
    ],
)
def test_every_end_is_reported(
    csf: Csf, installed: Installed, words: list[str], code: int, outcome: str
) -> None:
    """Only a command line that cannot be parsed has no start."""
    installed.add("night", BOTH)
    ended, _, err = csf("admin_database_verify", *words)
    *starts, end = installed.told("night")
    assert isinstance(end, Outcome)
    assert (ended, end.exit_code, end.outcome) == (code, code, outcome)
    assert (len(starts), "warning" in err) == (words[-1] != "-databse", False)
    assert end.error
    assert end.error in err


def test_what_is_no_attempt_loads_no_plugin(csf: Csf, place: Place, installed: Installed) -> None:
    """Help, dry runs and commands that only show something load none."""
    installed.add("night", BOTH)
    csf("-help")
    csf(*backup(place, "-dry-run"))
    csf("admin_database_manifest", "-database", place.master)
    assert "night" not in sys.modules


def test_the_locks_are_released_when_the_end_is_reported(
    csf: Csf, place: Place, installed: Installed
) -> None:
    """A slow hook delays no other command."""
    look = f"""
import fcntl
with open({place.master!r} + ".lock", "rb") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
told.append("free")
"""
    installed.add("night", hook("attempt_finished", look))
    assert csf(*backup(place))[0] == 0
    assert installed.told("night") == ["free"]


@pytest.mark.parametrize("as_json", [False, True])
def test_a_refusal_ends_the_attempt(
    csf: Csf, place: Place, installed: Installed, *, as_json: bool
) -> None:
    """The message has plugins and reasons; every plugin is called, and told of the refusal."""
    refuse = "raise Refused({!r})"
    installed.add("a_first", hook("attempt_starting", refuse.format("it is month's\nend.")))
    installed.add("b_second", BOTH)
    installed.add("c_third", hook("attempt_starting", refuse.format("")), entry="third")
    before = place.tree()
    code, out, err = csf(*backup(place, *["-json"] * as_json))
    assert (code, place.tree()) == (ExitCode.REFUSED, before)
    told = (
        "admin_database_backup was refused by the plugin a_first (a_first): it is month's end; "
        "and by the plugin third (c_third): no reason was given."
    )
    assert f"Error: {told}\nNothing was created or changed.\n" in err
    assert (told in out, out.count("\n")) == (as_json, as_json)
    attempt, outcome = installed.told("b_second")
    assert isinstance(attempt, Attempt)
    assert isinstance(outcome, Outcome)
    assert (outcome.exit_code, outcome.outcome, outcome.error) == (21, "refused", told)


def test_a_reason_may_be_anything(csf: Csf, place: Place, installed: Installed) -> None:
    """It may even have no text."""
    installed.add(
        "night", hook("attempt_starting", "raise Refused(type('', (), {'__str__': 1})())")
    )
    code, _, err = csf(*backup(place))
    assert (code, "night (night): no reason was given." in err) == (21, True)


@pytest.mark.parametrize("name", ["attempt_starting", "attempt_finished"])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("raise ValueError('a\\nb')", "ValueError: a b."),
        ("raise SystemExit(3)", "SystemExit: 3."),
        ("raise KeyboardInterrupt", "KeyboardInterrupt."),
        ("raise type('', (Exception,), {'__str__': 1})", "str() failed"),
        ("import csf_backup_nowhere", "No module named 'csf_backup_nowhere'."),
    ],
)
def test_a_hook_that_fails_is_a_warning(
    csf: Csf, place: Place, installed: Installed, name: str, body: str, why: str
) -> None:
    """The work and the other plugins continue, with the same exit code."""
    installed.add("a_broken", hook(name, body))
    installed.add("b_whole", BOTH)
    code, out, err = csf(*backup(place, "-json"))
    assert (code, out.count("\n"), len(installed.told("b_whole"))) == (0, 1, 2)
    assert f"warning: {name} of the plugin a_broken (a_broken) failed: " in err
    assert why in err
    assert (err.count("b_whole"), "Traceback" in err) == (0, False)


def test_where_a_hook_has_failed_is_in_the_log(
    csf: Csf, place: Place, installed: Installed
) -> None:
    """The log has the traceback."""
    installed.add("night", hook("attempt_finished", "1 / 0"))
    _, _, err = csf(*backup(place, "-verbose"))
    assert "Traceback" in err
    assert "site/night.py" in err


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (hook("attempt_finished", "").replace("outcome", "wrong") + "    pass", "{'wrong'}"),
        ("\n@hookimpl\ndef attempt_finish(outcome):\n    pass\n", "unknown hook 'attempt_finish'"),
        ("\nimport csf_backup_nowhere\n", "No module named 'csf_backup_nowhere'"),
        ("\ndef no python:\n", "SyntaxError"),
        ("\nraise SystemExit('no')\n", "SystemExit: no"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_a_warning(
    csf: Csf, installed: Installed, source: str, why: str
) -> None:
    """The warning names the plugin; its other hooks are not called, but other plugins are."""
    installed.add("a_broken", hook("attempt_starting", "raise Refused('broken')") + source)
    installed.add("b_whole", BOTH)
    code, _, err = csf("admin_database_verify", "-image-file", "localhost:/nowhere/a.img")
    assert (code, len(installed.told("b_whole"))) == (ExitCode.FAULT_FOUND, 2)
    told = "warning: the plugin a_broken (a_broken) is not called, because it cannot be loaded: "
    assert told in err
    assert why in err
    assert "Traceback" not in err


def test_of_two_plugins_of_one_name_the_first_is_called(csf: Csf, installed: Installed) -> None:
    """The warning names the other one."""
    installed.add("a_first", BOTH, entry="same")
    installed.add("b_second", BOTH, entry="same")
    _, _, err = csf("admin_database_verify", "-x")
    names = [name for name in ("a_first", "b_second") if name in sys.modules]
    (other,) = {"a_first", "b_second"} - {*names}
    assert len(installed.told(*names)) == 1
    assert f"the plugin same ({other}) is not called, because another one has the same name" in err


def test_plugins_that_cannot_be_listed_are_a_warning(
    csf: Csf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metadata of any distribution may be damaged."""
    listing = "csf_backup_plugin.notices.plugins.importlib.metadata.entry_points"
    monkeypatch.setattr(listing, lambda **_: 1 // 0)
    code, _, err = csf("admin_database_verify")
    told = "warning: no plugin is called, because they cannot be listed: ZeroDivisionError"
    assert (code, err.count(told)) == (ExitCode.USAGE, 1)


def test_what_has_ended_cannot_be_refused(csf: Csf, place: Place, installed: Installed) -> None:
    """The refusal is a warning."""
    installed.add("night", hook("attempt_finished", "raise Refused('too late')"))
    code, _, err = csf(*backup(place))
    assert (code, "the plugin night (night) cannot refuse an attempt that has ended" in err) == (
        0,
        True,
    )


def test_every_command_has_plugins_of_its_own(csf: Csf, installed: Installed) -> None:
    """A plugin that is installed meanwhile is called by the next command."""
    csf("admin_database_verify", "-x")
    installed.add("night", BOTH)
    csf("admin_database_verify", "-x")
    csf("admin_database_verify", "-x")
    assert len(installed.told("night")) == 2


PRINTS = """
import os, subprocess, sys
print("by print")
os.write(1, b"by write\\n")
subprocess.run(["echo", "by echo"])
"""


@pytest.mark.parametrize("option", ["-json", "-no-checksum"])
def test_what_a_hook_prints_goes_to_standard_error(
    place: Place, installed: Installed, tmp_path: Path, option: str
) -> None:
    """This holds for any way of printing, also while it is loaded."""
    kept = "from sys import stdout\n" + textwrap.dedent(PRINTS)
    hooks = hook("attempt_starting", PRINTS + "stdout.write('kept')")
    installed.add("night", kept + hooks + hook("attempt_finished", PRINTS))
    environ = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "CSF_BACKUP_STATE_DIR": str(tmp_path / "state"),
    }
    command = [sys.executable, "-c", PROGRAM, *backup(place, option)]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("\n") == (option == "-json")
    assert "by " not in ended.stdout
    for how in ("by print", "by write", "by echo"):
        assert ended.stderr.count(how) == 3
    assert "kept" in ended.stderr


def test_a_hook_leaves_the_process_as_it_was(
    csf: Csf, place: Place, installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Working directory, umask, signal handlers and standard output are restored."""
    monkeypatch.chdir(tmp_path)
    spoil = """
import os, signal, sys
os.chdir("/")
os.umask(0o777)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
sys.stdout = None
"""
    installed.add("night", hook("attempt_starting", spoil) + hook("attempt_finished", spoil))
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGUSR1)
    code, out, _ = csf(*backup(place, "-json"))
    assert (code, out.count("\n"), os.getcwd()) == (0, 1, str(tmp_path))
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGUSR1)) == before
    assert os.stat(f"{place.image}.receipt.json").st_mode & 0o600 == 0o600


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ["attempt_starting", "attempt_finished"])
def test_a_signal_ends_a_hook_that_hangs(
    csf: Csf, place: Place, installed: Installed, name: str, signum: signal.Signals
) -> None:
    """Before the work it ends the command, too; after it, the exit code is kept."""
    hang = f"import os, time\nos.kill(os.getpid(), {int(signum)})\ntime.sleep(100)"
    installed.add("night", hook(name, hang))
    code, _, err = csf(*backup(place))
    assert code == (0 if name == "attempt_finished" else 128 + signum)
    assert f"failed: KeyboardInterrupt: stopped by {signum.name}." in err
    assert os.path.exists(place.image) == (code == 0)


def test_a_second_signal_does_not_cut_short_what_follows_a_hook(
    csf: Csf, place: Place, installed: Installed
) -> None:
    """The signal ends only the hook; the cleanup after it is complete."""
    hang = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGTERM)
finally:
    os.kill(os.getpid(), signal.SIGTERM)
    told.append("whole")
"""
    installed.add("night", hook("attempt_finished", hang))
    assert csf(*backup(place))[0] == 0
    assert installed.told("night") == ["whole"]


def test_a_signal_that_is_ignored_ends_no_hook(
    csf: Csf, place: Place, installed: Installed
) -> None:
    """nohup ignores signals."""
    stay = "import os, signal\nos.kill(os.getpid(), signal.SIGHUP)\ntold.append('stays')"
    installed.add("night", hook("attempt_finished", stay))
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert csf(*backup(place))[0] == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert installed.told("night") == ["stays"]


def test_hooks_are_called_in_any_thread(csf: Csf, place: Place, installed: Installed) -> None:
    """A csf may run commands in a thread that cannot set handlers."""
    installed.add("night", BOTH)
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(csf(*backup(place))[0]))
    thread.start()
    thread.join()
    assert (codes, len(installed.told("night"))) == ([0], 2)


def test_an_attempt_that_was_killed_is_reported_by_the_next(
    csf: Csf, place: Place, installed: Installed, tmp_path: Path
) -> None:
    """It is reported once, before its own start."""
    installed.add("night", BOTH)
    strike = (
        "import os; from csf_backup_plugin.cli import runner\n"
        "def strike(*_, **__): os.kill(os.getpid(), 9)\n"
        "runner.report = strike\n"
    )
    state = {**os.environ, "CSF_BACKUP_STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-c", strike + PROGRAM, *backup(place)]
    assert subprocess.run(command, env=state, capture_output=True).returncode == -signal.SIGKILL
    for times in (1, 0):
        csf("admin_database_verify", "-image-file", f"localhost:{place.image}")
        *ends, start, end = installed.told("night")
        assert [type(one) for one in (start, end)] == [Attempt, Outcome]
        for one in ends:
            assert isinstance(one, Outcome)
            assert (one.outcome, one.exit_code, one.seconds) == ("killed", None, None)
            assert (one.command, one.image) == (
                "admin_database_backup",
                f"localhost:{place.image}",
            )
        assert len(ends) == times


@pytest.mark.parametrize("name", ["attempt_starting", "attempt_finished"])
def test_the_example_of_each_hook_runs(
    csf: Csf,
    place: Place,
    installed: Installed,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """One example refuses a rotation, and the other one logs it to syslog."""
    logged: list[tuple[int, str]] = []
    monkeypatch.setattr(syslog, "syslog", lambda *words: logged.append(words))
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/run/month-end" or exists(path))
    found = re.search(
        r"Example::\n\n(.*?)\n\nArgs:", inspect.getdoc(getattr(hookspecs, name)) or "", re.S
    )
    assert found
    installed.add("example", textwrap.dedent(found[1]), head="")
    line = ["admin_database_rotate", "-database", place.master, "-image-dir", "localhost:/nowhere"]
    code, _, err = csf(*line)
    if name == "attempt_starting":
        assert (code, "the month-end run is at work" in err) == (ExitCode.REFUSED, True)
    else:
        ((level, text),) = logged
        assert (code > 0, level) == (True, syslog.LOG_ERR)
        assert text.startswith(f"admin_database_rotate of {place.master}: ")
