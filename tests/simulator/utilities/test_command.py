"""What a utility says and returns when it fails."""

from __future__ import annotations

import pytest

from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.utilities.command import run_utility


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_home_nothing_runs(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    """The message names the variable and both ways to get it."""
    monkeypatch.delenv("CSF_SIM_HOME", raising=False)
    if value is not None:
        monkeypatch.setenv("CSF_SIM_HOME", value)
    worked: list[list[str]] = []
    with pytest.raises(SystemExit, match=r"(?s)CSF_SIM_HOME.*csf-sim run.*csf-sim env"):
        run_utility(worked.append, "usage", [])
    assert not worked


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (None, ""),
        (UsageError("unknown option: -x"), "unknown option: -x\nusage: it\n"),
        (UtilityError("broken"), "<err-0001-0040>broken (err_misc)\n"),
        (
            FileNotFoundError(2, "No such file", "/a"),
            "<err-0001-9901>/a: No such file (err_database_not_found)\n",
        ),
        (ValueError("odd"), "<err-0001-0040>odd (err_misc)\n"),
    ],
)
def test_failure_is_reported_on_stderr(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    failure: Exception | None,
    said: str,
) -> None:
    """The exit status is 1 for any failure and 0 for none."""
    monkeypatch.setenv("CSF_SIM_HOME", "/home")

    def work(argv: list[str]) -> None:
        assert argv == ["x"]
        if failure is not None:
            raise failure

    assert run_utility(work, "usage: it", ["x"]) == int(failure is not None)
    assert capfd.readouterr() == ("", said)
