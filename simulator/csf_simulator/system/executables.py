"""Write executables that other processes may start at any time."""

from __future__ import annotations

import os


def write_executable(path: str, content: bytes) -> None:
    """Replace an executable atomically; a process that starts it meanwhile gets old or new."""
    if _read(path) == content:
        return
    unfinished = f"{path}.{os.getpid()}~"
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o777)
    with open(fd, "wb") as file:
        file.write(content)
    os.rename(unfinished, path)


def _read(path: str) -> bytes:
    """Return a file's content, nothing if there is no such file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
