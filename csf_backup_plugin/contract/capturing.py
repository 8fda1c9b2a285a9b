"""Capture what csf prints during the check, so that standard output has only the checklist."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.contract.finding import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Printed:
    """What was printed while a block ran, each in one line; empty if nothing was.

    Attributes:
        output: on standard output.
        errors: on standard error.
    """

    output: str = ""
    errors: str = ""


@contextlib.contextmanager
def captured() -> Iterator[Printed]:
    """Capture what the process, and programs that it starts, print while the block runs."""
    printed = Printed()
    with _kept(1, "stdout") as output, _kept(2, "stderr") as errors:
        yield printed
    printed.output, printed.errors = map(_text, (output, errors))


@contextlib.contextmanager
def _kept(number: int, name: str) -> Iterator[list[bytes]]:
    """Redirect a standard stream and its descriptor; at the end, the list gets what was printed."""
    stream, kept, found = getattr(sys, name), os.dup(number), list[bytes]()
    _flush(stream)
    with open(os.memfd_create(name), "r+b") as memory:
        os.dup2(memory.fileno(), number)
        text = open(os.dup(number), "w", 1, errors="backslashreplace")  # noqa: SIM115
        setattr(sys, name, text)
        try:
            yield found
        finally:
            _flush(stream)
            _flush(text)
            setattr(sys, name, stream)
            os.dup2(kept, number)
            os.close(kept)
            memory.seek(0)
            found.append(memory.read())
            with contextlib.suppress(OSError, ValueError):
                text.close()


def _flush(stream: IO[str] | None) -> None:
    """Flush a stream; a closed one has nothing to flush."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        stream.flush()  # type: ignore[union-attr]


def _text(found: list[bytes]) -> str:
    return in_one_line(os.fsdecode(b"".join(found)))
