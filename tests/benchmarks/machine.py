"""The machine that is measured, in a sentence or two."""

from __future__ import annotations

import datetime
import os
import platform
import re
import tempfile
from pathlib import Path

from csf_backup_plugin.hosts.local.host import LocalHost


def description() -> str:
    """Return the date, what the machine has, and how busy it is."""
    now = datetime.datetime.now(datetime.timezone.utc)
    (place,) = LocalHost().look([tempfile.gettempdir()])
    return (
        f"{now:%Y-%m-%d %H:%M} UTC; {os.cpu_count()} processors, {_processor()}; "
        f"{_gibibytes():.0f} GiB of memory; {place.filesystem}; Linux {platform.release()}; "
        f"Python {platform.python_version()}. Load at the beginning: {load()}."
    )


def load() -> str:
    """Return the average number of processes that want to run, in one minute and in fifteen."""
    one, _, fifteen = os.getloadavg()
    return f"{one:.1f} ({fifteen:.1f} over 15 minutes)"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _gibibytes() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
