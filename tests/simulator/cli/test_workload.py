"""The command csf-sim workload."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner, Result
from waiting import wait_for

from csf_simulator.cli import main as cli
from csf_simulator.cli import workload as command
from csf_simulator.home import Home
from csf_simulator.repository import repository
from csf_simulator.repository.accounts import encode_balance
from csf_simulator.workload.running import Result as Outcome

CSF_SIM = [sys.executable, "-I", "-c", "from csf_simulator.cli.main import main; main()"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home with a repository zoo/zoo.db of two classes beside it, in the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CSF_SIM_HOME", raising=False)
    home = Home(".csf-sim")
    home.create()
    repository.create(home.server, "zoo/zoo.db", classes=2)
    return home


def workload(*arguments: str) -> Result:
    """Run csf-sim workload in this process."""
    return CliRunner().invoke(cli.main, ["workload", *arguments], prog_name="csf-sim")


def test_it_tells_people_what_it_did(home: Home) -> None:
    """The text states the transactions, their rate, and that no money was lost."""
    result = workload("zoo/zoo.db", "--writers", "1", "--seconds", "0.2", "--durable")
    assert result.exit_code == 0
    first, second = result.output.splitlines()
    assert re.fullmatch(r"[1-9]\d* transactions in \d\.\d seconds, \d+ a second", first)
    assert second == "all accounts together hold 32000"


def test_it_tells_programs_the_same(home: Home) -> None:
    """One JSON document has the facts under fixed names."""
    result = workload("zoo/zoo.db", "--writers", "2", "--seconds", "0", "--json")
    assert result.exit_code == 0
    facts = json.loads(result.output)
    assert facts.pop("transactions") >= 0
    assert facts.pop("per_second") >= 0
    assert facts.pop("seconds") > 0
    assert facts == {
        "schema": "csf-sim/1",
        "master": os.path.abspath("zoo/zoo.db"),
        "writers": 2,
        "durable": False,
        "refused": 0,
        "held": 32000,
        "opened": 32000,
    }


def test_money_that_is_missing_is_exit_code_1(home: Home) -> None:
    """The workload never loses any, so something else is broken."""
    with home.server.transaction() as tx:
        tx.write("zoo/Class1.db", 1, encode_balance(990))
    result = workload("zoo/zoo.db", "--seconds", "0")
    assert result.exit_code == 1
    assert result.output.splitlines()[1] == "all accounts together hold 31990 instead of 32000"


def test_refusals_are_reported_if_there_were_any(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this case databases were being restored meanwhile."""
    done = Mock()
    done.result.return_value = Outcome(transactions=9, refused=5, seconds=2.0)
    monkeypatch.setattr(command, "start_workload", lambda *_, **__: nullcontext(done))
    result = workload("zoo/zoo.db", "--seconds", "0")
    assert result.output.splitlines()[0] == "9 transactions in 2.0 seconds, 4 a second, 5 refused"


@pytest.mark.measured
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(home: Home, number: signal.Signals) -> None:
    """Ctrl-C is the usual end of a workload without a time, and no failure."""
    process = subprocess.Popen(
        [*CSF_SIM, "workload", "zoo/zoo.db", "--json"], stdout=subprocess.PIPE, text=True
    )
    before = Path("zoo/Class1.db").read_bytes()
    changed = Path("zoo/Class1.db")
    wait_for(lambda: changed.read_bytes() != before or process.poll() is not None)
    process.send_signal(number)
    facts = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == 0
    assert facts["held"] == facts["opened"]


def test_nothing_to_work_on_is_a_plain_error(home: Home) -> None:
    """The message names what is missing."""
    for name, message in (("none.db", "no master database"), ("zoo/zoo_schema.db", "schema")):
        result = workload(name)
        assert result.exit_code == 1
        assert re.match(f"Error: .*{message}", result.output)


@pytest.mark.parametrize("arguments", [["--writers", "0"], ["--seconds", "-1"], ["--rate", "1"]])
def test_misuse_is_reported(home: Home, arguments: list[str]) -> None:
    """A wrong option is a usage error."""
    assert workload("zoo/zoo.db", *arguments).exit_code == 2
