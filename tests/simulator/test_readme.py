"""What the simulator's README and docs/simulator.md show is what happens."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from csf_simulator.cli.main import main
from csf_simulator.simulator import Simulator

CODE = "from csf_simulator.cli.main import main; main()"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def readme() -> str:
    """Return the short text in the distribution."""
    return (ROOT / "simulator" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def page() -> str:
    """Return the long text in docs/."""
    return (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_the_help_is_the_help(page: str) -> None:
    """The block on the page is what csf-sim --help prints on 80 columns."""
    result = CliRunner().invoke(main, ["--help"], prog_name="csf-sim", terminal_width=80)
    assert f"<!-- csf-sim --help -->\n```\n{result.output}```\n" in page


def test_the_session_runs_as_shown(readme: str, tmp_path: os.PathLike[str]) -> None:
    """Every command of the example prints what is shown below it."""
    session = re.findall(r"^    \$ (.*)\n((?:    [^$\n].*\n)+)", readme, re.MULTILINE)
    assert len(session) == 4
    with Simulator(os.path.join(tmp_path, "home")) as sim:
        for line, output in session:
            words = shlex.split(line.replace("/tmp/", f"{tmp_path}/"))
            assert words.pop(0) == "csf-sim"
            result = sim.run([sys.executable, "-I", "-c", CODE, *words])
            printed = (result.stdout + result.stderr).replace(f"{tmp_path}/", "/tmp/")
            assert printed == output.replace("    ", "")


def test_the_script_shows_what_it_says(page: str, tmp_path: Path) -> None:
    """One run is from one instant, and several runs are from several instants."""
    [script] = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    csf_sim = tmp_path / "csf-sim"
    csf_sim.write_text(f"""#!/bin/sh\nexec {sys.executable} -I -c '{CODE}' "$@"\n""")
    csf_sim.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    with Simulator(str(tmp_path / "home")) as sim:
        place = script.replace("/tmp/", f"{tmp_path}/")
        result = sim.run(["sh", "-c", place], env={"PATH": path})
    assert result.exit_code == 0
    assert result.stderr == f"{tmp_path}/one/ark.db is sound\n"
    assert f"\n{tmp_path}/many/ark.db: all accounts together hold " in result.stdout
    assert re.search(
        r" transactions in .* seconds, \d+ a second\nall .* hold 48000\n$", result.stdout
    )


def test_the_program_runs(page: str) -> None:
    """The example in Python works."""
    [program, *_] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(program, {})
