"""The benchmarks run: each measures something tiny once, and the time does not matter."""

from __future__ import annotations

import functools
import os
import re
import shlex
import subprocess
import sys

import pytest
from benchmarks import command
from benchmarks.earlier import with_earlier
from benchmarks.table import Table, text_of
from benchmarks.timing import ROUND, Case, Cost, alternate
from documents import ROOT, block

SUBJECTS = [
    pytest.param(name, marks=pytest.mark.remote) if name == "remote" else name
    for name in command.SUBJECTS
]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_each_subject_prints_tables(
    subject: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a row for each command, below a description of the machine."""
    monkeypatch.setattr(os, "sync", lambda: None)  # other tests write much at the same time
    command.main(["--quick", "--only", subject])
    machine, *tables, load = capsys.readouterr().out.split("\n\n")
    assert re.match(r"\d{4}-\d\d-\d\d .* processors, .*\. Load at the beginning: ", machine)
    assert load.startswith("Load at the end: ")
    for table in tables:
        head, line, *rows = table.splitlines()
        assert head.endswith(", n = 1 | time | ratio | to | goal | memory |")
        assert re.fullmatch(r"[|:-]+", line)
        assert rows
        assert all(re.match(r"\| [^|]+ \| \d+\.\d{3} s \|", row) for row in rows)


def test_the_command_is_the_one_that_the_page_shows() -> None:
    """It is run from the top of the repository."""
    program, *words = shlex.split(block("benchmark command"))
    assert program == "python"
    ended = subprocess.run(
        [sys.executable, *words, "--help"], cwd=ROOT, env={}, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert all(subject in ended.stdout for subject in command.SUBJECTS)


def test_an_earlier_version_is_measured_beside_this_one() -> None:
    """It includes the commands that both have; the same preparation precedes each."""
    cases = [Case("cp", ["cp", "a"]), Case("bare", ["osbackup", "-a"], "cp", 1.3)]
    assert [*with_earlier(cases, "")] == cases
    cp, before, now = with_earlier(cases, "/old/bin/python")
    assert [cp, now] == cases
    assert before[2:] == now[2:]
    assert before.name == "bare, before"
    assert before.argv[0] == "/old/bin/python"
    assert before.argv[-1] == "-a"


def test_a_ratio_is_the_median_of_those_of_the_rounds() -> None:
    """A round in which the machine was slow counts like any other."""
    cases = [Case("cp", ["cp"]), Case("osbackup", ["osbackup"], "cp", 1.3)]
    bare = [Cost(1.0, 0), Cost(10.0, 0), Cost(2.0, 0)]
    osbackup = [Cost(1.5, 1 << 20), Cost(12.0, 3 << 20), Cost(5.0, 2 << 20)]
    assert text_of(Table("a copy", cases, {"cp": bare, "osbackup": osbackup})).splitlines()[2:] == [
        "| cp | 2.000 s |  |  |  |  |",
        "| osbackup | 5.000 s | **1.50** (1.20-2.50) | cp | ≤ 1.3 | 3 MiB |",
    ]


def test_commands_take_turns() -> None:
    """Each is prepared before it runs, and gets the number of its round."""
    ran: list[str] = []
    cases = [
        Case(one, ["test", ROUND, "-lt", "2"], prepare=functools.partial(ran.append, one))
        for one in "ab"
    ]
    costs = alternate(cases, 2, {"PATH": "/usr/bin:/bin"})
    assert ran == [*"abab"]
    assert [len(costs[one]) for one in "ab"] == [2, 2]


def test_a_command_that_fails_is_measured_only_if_that_is_expected() -> None:
    """The message has its output."""
    failing = Case("a", ["sh", "-c", "echo no; exit 7"])
    alternate([failing._replace(accepted=(7,))], 1, {"PATH": "/usr/bin:/bin"})
    with pytest.raises(AssertionError, match=r"7, b'no\\n'"):
        alternate([failing], 1, {"PATH": "/usr/bin:/bin"})
