"""The fixtures, in a test run of another project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from csf_simulator import home

pytest_plugins = "pytester"

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text()


def example(name: str) -> str:
    """Return a file as the simulator's page shows it."""
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def test_the_pages_example_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's plugin is found by its entry point, and the page's test of it passes."""
    site = pytester.mkdir("site")
    (site / "unmistakable.py").write_text(example("unmistakable.py"))
    metadata = site / "unmistakable-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: unmistakable\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[csf]\nunmistakable = unmistakable\n")
    plain = home._script

    def with_site(module: str) -> bytes:
        """Let csf find the plugin as if it were installed; csf is isolated from PYTHONPATH."""
        return plain(module).replace(b"-c '", f'-c \'import sys; sys.path += ["{site}"]; '.encode())

    monkeypatch.setattr(home, "_script", with_site)
    pytester.makepyfile(test_unmistakable=example("test_unmistakable.py"))
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-n", "0").assert_outcomes(passed=3)


def test_the_fixtures_are_there_and_isolated(pytester: pytest.Pytester) -> None:
    """Each test has a home of its own; xdist changes nothing."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("number", [1, 2, 3, 4])
        def test_isolation(number, simulator, repository, csf, workload, fault, tmp_path):
            master = repository(classes=2)
            assert master == str(tmp_path / "csf-sim" / "repository1" / "master.db")
            result = csf("class_create", "-database", master, "-class", "Book")
            assert result.exit_code == 0, result.stderr
            with workload(master, writers=1) as running:
                fault("osbackup", "exit", "3")
                assert simulator.run(["osbackup", "-a", "-f", "image", master]).exit_code == 3
            assert running.result().transactions >= 0
            assert simulator.check(master) == []
    """)
    result = pytester.runpytest_subprocess("-n", "2", "-p", "no:cacheprovider", "-W", "error")
    result.assert_outcomes(passed=4)


def test_a_fault_that_never_struck_fails_the_test(pytester: pytest.Pytester) -> None:
    """A scripted fault that never strikes fails the test, unless the test clears it."""
    pytester.makepyfile("""
        def test_forgotten(fault):
            fault("osbackup", "hang")

        def test_never_shown(fault):
            fault("osbackup", "record")

        def test_meant(fault, simulator):
            fault("osbackup", "hang")
            simulator.faults.clear()
    """)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly")
    result.assert_outcomes(passed=3, errors=2)
    for fault in ("hang", "record"):
        result.stdout.fnmatch_lines([f"*scripted and never injected: osbackup {fault}*"])


def test_real_programs_of_the_surroundings_stay_outside(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such variables of the test run have no effect on the simulator."""
    monkeypatch.setenv("CSF_BACKUP_OSBACKUP", "/bin/false")
    monkeypatch.setenv("OS_ROOTDIR", "/opt/ostore")
    pytester.makepyfile("""
        def test_environment(simulator):
            said = simulator.run(["env"]).stdout
            assert "CSF_SIM_HOME=" in said
            assert "CSF_BACKUP_OSBACKUP" not in said and "OS_ROOTDIR" not in said
    """)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_nothing_is_used_unasked(pytester: pytest.Pytester) -> None:
    """A test that names no fixture sees no simulator."""
    pytester.makepyfile("""
        import sys

        def test_plain():
            assert "csf_simulator.simulator" not in sys.modules
    """)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
