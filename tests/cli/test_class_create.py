"""Around csf's class_create, with and without a log that somebody may read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest

from csf_backup_plugin import plugin
from csf_backup_plugin.hosts.local.host import LocalHost

if TYPE_CHECKING:
    from conftest import Place


@pytest.fixture(autouse=True, params=["logging", "no logging"])
def _logging(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide that the standard library's logging has been loaded."""
    if request.param == "no logging":
        monkeypatch.delitem(sys.modules, "logging")


def created(master: object, returned: object) -> object:
    """Let csf return something; return what it gets."""
    wrapper = plugin.class_create(master)  # type: ignore[arg-type]
    next(wrapper)
    with pytest.raises(StopIteration) as ended:
        wrapper.send(returned)  # type: ignore[arg-type]
    return ended.value.value


def test_a_new_database_is_recorded(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The first one creates the manifest, the second is appended to it."""
    for name in ("New", "Newer"):
        path = place.repository / f"{name}.db"
        path.touch()
        assert created(place.master, path) is path
    manifest = (place.repository / "lib.db.manifest").read_bytes()
    assert manifest.endswith(b" Newer.db\n")
    assert b" New.db\n" in manifest
    assert capsys.readouterr() == ("", "")


def test_a_warning_is_printed(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """The class has been created all the same."""
    assert created(place.master, 7) == 7
    assert created(None, "made") == "made"
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("warning: class_create returned an object of type int")
    assert second.startswith("warning: csf gives None as the master database")


def test_a_refusal_is_an_error_of_click(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has the exit code of the refusal."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "0")
    with (
        LocalHost().lock(f"{place.master}.lock", "x", 0, print),
        pytest.raises(click.ClickException, match="is locked") as caught,
    ):
        next(plugin.class_create(place.master))
    assert caught.value.exit_code == 20
    assert capsys.readouterr() == ("", "")
