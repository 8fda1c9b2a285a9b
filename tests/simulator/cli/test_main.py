"""The command csf-sim."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

import click
import pytest
from click.testing import CliRunner, Result

from csf_simulator.cli import create, run, terminal
from csf_simulator.cli import main as cli
from csf_simulator.home import Home

CSF_SIM = [sys.executable, "-I", "-c", "from csf_simulator.cli.main import main; main()"]


@pytest.fixture(autouse=True)
def directory(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty current directory, and no home named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CSF_SIM_HOME", raising=False)
    return os.fspath(tmp_path)


def csf_sim(*arguments: str) -> Result:
    """Run csf-sim in this process."""
    return CliRunner().invoke(cli.main, arguments, prog_name="csf-sim")


def without_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unset all variables that csf-sim env unsets."""
    for name in [name for name in os.environ if name.startswith(("CSF_BACKUP_", "OS_ROOTDIR"))]:
        monkeypatch.delenv(name)


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run csf-sim in a separate process."""
    return subprocess.run([*CSF_SIM, *arguments], capture_output=True, text=True, timeout=60)


def test_create_makes_a_repository_and_prints_where(directory: str) -> None:
    """Standard output has the absolute path and nothing else; the home is made, too."""
    result = csf_sim("create", "zoo/zoo.db", "--classes", "2", "--size", "80k")
    assert (result.exit_code, result.output) == (0, f"{directory}/zoo/zoo.db\n")
    assert sorted(os.listdir(directory)) == [".csf-sim", "zoo"]
    names = ["Class1.db", "Class2.db", "zoo.db", "zoo_schema.db"]
    assert sorted(os.listdir("zoo")) == names
    assert os.stat("zoo/Class2.db").st_size == 80 << 10


def test_create_does_not_replace_a_repository() -> None:
    """The complaint names the next thing to type."""
    csf_sim("create", "zoo/zoo.db")
    result = csf_sim("--home", "a b", "create", "zoo/zoo.db")
    assert result.exit_code == 1
    assert "zoo.db exists already" in result.output
    assert result.output.endswith("look into it with: csf-sim --home 'a b' check zoo/zoo.db\n")


@pytest.mark.parametrize("size", ["0", "much", "-1", "1t"])
def test_create_refuses_what_is_no_size(size: str) -> None:
    """A text that is no size is a usage error, and nothing is made."""
    result = csf_sim("create", "zoo/zoo.db", "--size", size)
    assert result.exit_code == 2
    assert "not a size" in result.output
    assert not os.path.exists("zoo")


def test_a_place_that_cannot_be_made_is_a_plain_error() -> None:
    """An existing file in the way causes no traceback."""
    with open("file", "w"):
        pass
    for arguments in (["--home", "file", "env"], ["create", "file/zoo.db"]):
        result = csf_sim(*arguments)
        assert result.exit_code == 1
        assert result.output.startswith("Error: ")


def test_a_home_with_a_colon_is_a_plain_error() -> None:
    """PATH could not contain it, and csf-sim says so."""
    result = csf_sim("--home", "a:b", "env")
    assert (result.exit_code, result.output[:6]) == (1, "Error:")
    assert "a:b holds a colon" in result.output


def test_check_of_a_sound_repository_succeeds(directory: str) -> None:
    """The command reports a sound repository and exits with 0."""
    csf_sim("create", "zoo/zoo.db", "--classes", "1")
    result = csf_sim("check", "zoo/zoo.db")
    assert (result.exit_code, result.output) == (0, "zoo/zoo.db is sound\n")


def test_check_prints_one_finding_a_line(directory: str) -> None:
    """A broken repository gives exit code 1, for people and for programs."""
    csf_sim("create", "zoo/zoo.db", "--classes", "2")
    os.unlink("zoo/Class1.db")
    os.unlink("zoo/Class2.db")
    fault = "cannot be read: No such file or directory"
    paths = [f"{directory}/zoo/Class{number}.db" for number in (1, 2)]
    result = csf_sim("check", "zoo/zoo.db")
    assert result.exit_code == 1
    assert result.output.splitlines() == [f"{path}: {fault}" for path in paths]
    result = csf_sim("check", "zoo/zoo.db", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output) == {
        "schema": "csf-sim/1",
        "master": f"{directory}/zoo/zoo.db",
        "findings": [{"path": path, "fault": fault} for path in paths],
    }


def test_check_of_nothing_says_how_to_make_something() -> None:
    """A missing master database may be mistyped, or not made yet."""
    result = csf_sim("check", "zoo.db")
    assert result.exit_code == 1
    assert "there is no zoo.db; make it with: csf-sim create zoo.db" in result.output


def test_hints_are_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal, create says what to type next, for the same home."""
    told: list[str] = []
    monkeypatch.setattr(create, "hint", told.append)
    csf_sim("--home", "h", "create", "zoo.db")
    zoo = shlex.quote(os.path.abspath("zoo.db"))
    add = f"csf-sim --home h run -- csf class_create -database {zoo} -class Person"
    assert told == [f"Add a class with: {add}", "Check it with: csf-sim --home h check zoo.db"]


@pytest.mark.parametrize("terminal_there", [True, False])
def test_hints_go_to_terminals_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, terminal_there: bool
) -> None:
    """Programs and logs get no hints."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal_there)
    terminal.hint("do this")
    assert capsys.readouterr().err == ("do this\n" if terminal_there else "")


@pytest.mark.parametrize("name", ["home", "a b", "it's", 'say "x"', "$(touch x)", "a\nb", "\\"])
def test_env_evaluates_in_a_shell(directory: str, name: str) -> None:
    """After eval, the shell finds the simulator, whatever the name of its directory."""
    script = 'eval "$("$@")" && command -v csf && csf -help && echo "${OS_ROOTDIR-unset}"'
    command = ["sh", "-c", script, "sh", *CSF_SIM, "--home", name, "env"]
    base = {**os.environ, "OS_ROOTDIR": "/opt/ostore"}
    done = subprocess.run(command, capture_output=True, text=True, env=base)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{directory}/{name}/bin/csf\nUsage: csf ")
    assert done.stdout.endswith("\nunset\n")


def test_env_prints_exports(monkeypatch: pytest.MonkeyPatch, directory: str) -> None:
    """The output is four lines, each a command for any POSIX shell."""
    without_foreign(monkeypatch)
    monkeypatch.setenv("PATH", "/usr/bin")
    assert csf_sim("env").output.splitlines() == [
        f"export CSF_SIM_HOME={directory}/.csf-sim",
        f"export CSF_BACKUP_STATE_DIR={directory}/.csf-sim/state",
        f"export PATH={directory}/.csf-sim/bin:/usr/bin",
        "unset OS_ROOTDIR",
    ]


def test_env_unsets_what_names_real_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All variables of csf-backup-plugin that are set are unset, except impossible shell names."""
    without_foreign(monkeypatch)
    for name in (
        "CSF_BACKUP_SSH",
        "CSF_BACKUP_OSBACKUP",
        "CSF_BACKUP_X; false",
        "CSF_BACKUP_\u00e9",
    ):
        monkeypatch.setenv(name, "real")
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", "/of/another/simulator")
    last = csf_sim("env").output.splitlines()[-1]
    assert last == "unset CSF_BACKUP_OSBACKUP CSF_BACKUP_SSH OS_ROOTDIR"
    script = 'eval "$("$@")" && echo "${CSF_BACKUP_SSH-unset} ${CSF_BACKUP_OSBACKUP-unset}"'
    done = subprocess.run(["sh", "-c", script, "sh", *CSF_SIM, "env"], capture_output=True)
    assert (done.stdout, done.stderr) == (b"unset unset\n", b"")


def test_run_leaves_real_programs_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the surroundings is not passed on; one that is set inside counts."""
    monkeypatch.setenv("CSF_BACKUP_OSBACKUP", "real")
    monkeypatch.setenv("OS_ROOTDIR", "real")
    inside = ["sh", "-c", 'echo "${CSF_BACKUP_OSBACKUP-none} ${OS_ROOTDIR-none}"']
    assert started("run", "--", *inside).stdout == "none none\n"
    set_inside = started("run", "--", "env", "CSF_BACKUP_OSBACKUP=meant", *inside)
    assert set_inside.stdout == "meant none\n"


def test_run_becomes_the_command(monkeypatch: pytest.MonkeyPatch, directory: str) -> None:
    """The command replaces csf-sim, with its own options unchanged, in the environment."""
    executed: list[tuple[str, Sequence[str], object]] = []
    monkeypatch.setattr(run, "restore_signals", lambda: None)
    monkeypatch.setattr(os, "execvpe", lambda *arguments: executed.append(arguments))
    result = csf_sim("run", "--", "csf", "-help", "--home", "x")
    home = Home(os.path.join(directory, ".csf-sim"))
    assert (result.exit_code, result.output) == (0, "")
    assert executed == [
        ("csf", ("csf", "-help", "--home", "x"), home.environment(os.environ)),
    ]


@pytest.mark.parametrize(
    ("script", "status"), [("exit 0", 0), ("exit 42", 42), ("kill -9 $$", -9), ("kill -13 $$", -13)]
)
def test_run_passes_exit_codes_and_signals(script: str, status: int) -> None:
    """The caller of csf-sim sees how the command ended."""
    assert started("run", "--", "sh", "-c", script).returncode == status


def test_run_leaves_signals_as_a_shell_would() -> None:
    """A broken pipe ends a command; Python's habit of ignoring it is not passed on."""
    shell = shlex.join([*CSF_SIM, "run", "--", "sh", "-c", "yes; echo $? >&2"])
    done = subprocess.run(["sh", "-c", f"{shell} | head -1"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("y\n", "141\n")  # 128 + SIGPIPE, and no complaint


def test_run_needs_no_dashes() -> None:
    """The options after the command's name are the command's."""
    assert started("run", "sh", "-c", "exit 5").returncode == 5


@pytest.mark.measured
@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("no-such-command", 127, "csf-sim: no-such-command: No such file or directory\n"),
        ("/etc/passwd", 126, "csf-sim: /etc/passwd: Permission denied\n"),
    ],
)
def test_run_tells_a_command_that_cannot_run(
    monkeypatch: pytest.MonkeyPatch, command: str, status: int, message: str
) -> None:
    """The exit code is the one that a shell would give."""
    monkeypatch.setenv("PATH", "/usr/bin")
    done = started("run", "--", command)
    assert (done.returncode, done.stderr) == (status, message)


def test_run_without_a_command_is_a_usage_error() -> None:
    """There is nothing to run."""
    assert csf_sim("run").exit_code == 2


def test_the_home_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """CSF_SIM_HOME names it unless --home does."""
    monkeypatch.setenv("CSF_SIM_HOME", f"{directory}/named")
    assert f"CSF_SIM_HOME={directory}/named\n" in csf_sim("env").output
    assert f"CSF_SIM_HOME={directory}/given\n" in csf_sim("--home", "given", "env").output
    assert sorted(os.listdir(directory)) == ["given", "named"]


def test_demo_plays_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """The story itself has its own tests."""
    monkeypatch.setattr("csf_simulator.cli.demo.play", lambda: click.echo("the story"))
    assert csf_sim("demo").output == "the story\n"


def test_version_and_help() -> None:
    """Every command is in the help."""
    assert csf_sim("--version").output.startswith("csf-sim, version ")
    text = csf_sim("--help").output
    assert all(f"\n  {name} " in text for name in ("check", "create", "demo", "env", "run"))
