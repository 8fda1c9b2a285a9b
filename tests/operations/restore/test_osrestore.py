"""The progress of osrestore is the space it fills, as far as that is known."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.hosts.protocol.values import Completed, Machine
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Receipt
from csf_backup_plugin.operations.restore.osrestore import free_space, run_osrestore
from csf_backup_plugin.operations.restore.plan import RestorePlan
from csf_backup_plugin.operations.restore.request import RestoreRequest
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.values import Facts

PROVEN = Receipt("/r/lib.db", {"/r/lib.db": 5000}, 1, None, "", "", ImagePath("db1", "/b/a.img"))
REQUEST = RestoreRequest.parse("/r/lib.db", "db1:/b/a.img")
PLAN = RestorePlan(
    request=REQUEST,
    receipt=PROVEN,
    machine=Machine("", "db1", "2026-11-25T12:00:00+00:00"),
    recorded=None,
    number=0,
    targets=PROVEN.databases,
    overwritten=(),
    appearing=(),
    extra=(),
    elsewhere=(),
    argv=["/os/osrestore", "-f", "/b/a.img"],
    timeout=600.0,
    damaged_manifest=None,
    image_stamp="",
    warnings=(),
)


class Filling(MemoryHost):
    """A host whose disk fills while osrestore runs.

    Args:
        free: the bytes free at each look; None for a look that fails.
    """

    def __init__(self, *free: int | None) -> None:
        super().__init__({"/r/lib.db": b""})
        self._looks = len(free)
        self._free = iter(free)

    def look(self, paths: Iterable[str]) -> list[Facts]:
        self._looks -= 1
        if (free := next(self._free)) is None:
            raise OSError(5, "Input/output error")
        return [facts._replace(free=free) for facts in super().look(paths)]

    def poll(self) -> tuple[Completed | None, int]:
        return (None if self._looks else Completed(0, b"")), 0


@pytest.mark.parametrize(
    ("free", "filled"),
    [
        ((9000, 9000, 8000, 9500, 6000), [1000, 3000]),
        ((9000, None, 8000), [1000]),
        ((None, 9000, 8000), []),
    ],
)
def test_only_what_is_known_is_shown(free: tuple[int | None, ...], filled: list[int]) -> None:
    """A progress bar that stands still, or a failing look, might make a user stop the restore."""
    listener = Memory()
    host = Filling(*free)
    run_osrestore(REQUEST, PLAN, free_space(PLAN, host), None, host, listener)
    assert listener.steps == [("restoring", bytes_, 5000) for bytes_ in filled]


def test_a_disk_too_full_to_start_osrestore_is_a_full_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is not reported as a failure of osrestore."""
    host = Filling(9000)

    def full(*_: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/r/lib.db.restore.run")

    monkeypatch.setattr(host, "start", full)
    with pytest.raises(OSError, match="No space left"):
        run_osrestore(REQUEST, PLAN, 9000, None, host, Memory())
