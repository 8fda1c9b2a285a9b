"""A clock for real programs, by libfaketime, independent of this machine's clock."""

from __future__ import annotations

import contextlib
import datetime
import glob
import os
import subprocess
import time
from typing import TYPE_CHECKING

from needed import lacking, zone

if TYPE_CHECKING:
    import zoneinfo
    from collections.abc import Iterable, Iterator

_PLACES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime")
# The library lets all processes of a run share a semaphore and some memory, and leaves both behind
# when a shell replaces itself by another program. So one process makes them, and is killed.
_SHARED = 'printf %s "$FAKETIME_SHARED"; kill -9 $$'


class FakedClock:
    """The clock, as an offset to the real one, so that it runs on from process to process.

    The monotonic clock is faked along with it: with FAKETIME_DONT_FAKE_MONOTONIC, version 0.9.10
    lets a sleep of Python fail with EINVAL. Only what waits for a lock of threads with a time limit
    hangs then, and nothing does where csf works on its own machine.

    Args:
        library: the path of libfaketime.
        shared: what its processes share.
        place: the time zone.
    """

    def __init__(self, library: str, shared: str, place: zoneinfo.ZoneInfo) -> None:
        self._given = {
            "LD_PRELOAD": library,
            "FAKETIME_SHARED": shared,
            "NO_FAKE_STAT": "1",
            "TZ": place.key,
        }
        self._place = place
        self._offset = 0
        self._since = time.time()

    def time_of(
        self, day: datetime.date, hour: int, minute: int, *, again: bool = False
    ) -> datetime.datetime:
        """Return a local time of a day, or what it becomes in the hour that is skipped.

        Args:
            day: which.
            hour: from midnight.
            minute: of the hour.
            again: take the second of two, where the clock is put back.
        """
        time = datetime.time(hour, minute, tzinfo=self._place, fold=again)
        return datetime.datetime.combine(day, time)

    def set(self, moment: datetime.datetime) -> dict[str, str]:
        """Set the clock; return the variables by which programs see it."""
        self._since = time.time()
        self._offset = round(moment.timestamp() - self._since)
        return {**self._given, "FAKETIME": f"{self._offset:+d}"}

    def date_files(self, directories: Iterable[str]) -> None:
        """Give files that were written since the clock was set the faked time.

        The library fakes none of the calls by which current programs read timestamps.
        """
        for directory in directories:
            for at, _, names in os.walk(directory):
                for path in [at, *(os.path.join(at, name) for name in names)]:
                    with contextlib.suppress(FileNotFoundError):
                        modified = os.lstat(path).st_mtime
                        if self._since - 1 < modified <= time.time():
                            then = modified + self._offset
                            os.utime(path, (then, then), follow_symlinks=False)


def libfaketime() -> str:
    """Return the library's path; without it, the test fails in CI, and is skipped elsewhere."""
    found = [path for at in _PLACES for path in glob.glob(f"{at}/libfaketime.so.1")]
    if not found:
        lacking("libfaketime is not installed; apt-get install faketime")
    return found[0]


@contextlib.contextmanager
def faked_clock(place: str) -> Iterator[FakedClock]:
    """Return a clock.

    Args:
        place: the time zone of the programs that see it.
    """
    known = zone(place)
    library = libfaketime()
    preloaded = {**os.environ, "LD_PRELOAD": library, "FAKETIME": "+1"}
    made = subprocess.run(["sh", "-c", _SHARED], env=preloaded, capture_output=True, text=True)
    try:
        yield FakedClock(library, made.stdout, known)
    finally:
        for name, prefix in zip(made.stdout.split(), ("sem.", ""), strict=False):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"/dev/shm/{prefix}{name[1:]}")
