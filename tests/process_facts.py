"""Facts on processes, for tests that kill them."""

from __future__ import annotations

from pathlib import Path

from waiting import wait_for


def environment_of(pid: int) -> bytes:
    """Return a process's environment; empty if it has ended or is not readable."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def lives(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def number_in(file: Path) -> int:
    """Wait until a program has written its process number; return the number."""
    wait_for(lambda: file.exists() and file.read_text().endswith("\n"))
    return int(file.read_text())


def parent_of(pid: int) -> int:
    """Return a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])
