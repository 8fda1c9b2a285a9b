"""Removing files that are not needed any more: a failure is only a warning."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.cleanup import clean_up
from csf_backup_plugin.system_errors import HalfDone
from doubles import MemoryHost


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(5, "Input/output error", "/a"), "/b could not be removed, so: Input/output error"),
        (HostUnreachable("It is gone.", "Look."), "/b could not be removed, so: It is gone."),
        (HalfDone(OSError(5, "Bad"), "/b was removed."), "Bad; /b was removed"),
    ],
)
def test_what_cannot_be_removed_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    """It says why, and what the consequence is."""
    host = MemoryHost({"/a": b"", "/b": b""})
    assert clean_up([], host) == clean_up(["/a"], host) == []

    def refuse(_paths: object) -> None:
        raise error

    monkeypatch.setattr(host, "remove", refuse)
    assert clean_up(["/a", "/b"], host, ", so") == [told]
