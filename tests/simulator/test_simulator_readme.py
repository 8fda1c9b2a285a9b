"""What the simulator's README says is what happens."""

from __future__ import annotations

import os
import re
import shlex
import sys

import pytest
from click.testing import CliRunner

from csf_simulator.cli import main
from csf_simulator.simulator import Simulator

README = os.path.join(os.path.dirname(__file__), "..", "..", "simulator", "README.md")


@pytest.fixture
def readme() -> str:
    """The text."""
    with open(README, encoding="utf-8") as file:
        return file.read()


def test_the_help_is_the_help(readme: str) -> None:
    """The block in the README is what csf-sim --help prints on 80 columns."""
    result = CliRunner().invoke(main, ["--help"], prog_name="csf-sim", terminal_width=80)
    assert f"<!-- csf-sim --help -->\n```\n{result.output}```\n" in readme


def test_the_session_runs_as_shown(readme: str, tmp_path: os.PathLike[str]) -> None:
    """Every command of the example prints what stands below it."""
    session = re.findall(r"^    \$ (.*)\n((?:    [^$\n].*\n)+)", readme, re.MULTILINE)
    assert len(session) == 4
    with Simulator(os.path.join(tmp_path, "home")) as sim:
        code = "from csf_simulator.cli import main; main()"
        for line, output in session:
            words = shlex.split(line.replace("/tmp/", f"{tmp_path}/"))
            assert words.pop(0) == "csf-sim"
            result = sim.run([sys.executable, "-I", "-c", code, *words])
            printed = (result.stdout + result.stderr).replace(f"{tmp_path}/", "/tmp/")
            assert printed == output.replace("    ", "")


def test_the_program_runs(readme: str) -> None:
    """The example in Python holds."""
    [program] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    exec(program, {})
