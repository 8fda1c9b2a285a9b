"""Print text; a failure to print never changes the exit code."""

from __future__ import annotations

import contextlib
import io
import os
import sys

import click

from csf_backup_plugin.system_errors import reason


def said(text: str, end: str = "\n") -> str:
    """Print to standard error, for people; return why it failed, or an empty string."""
    return _printed(text + end, err=True)


def printed(text: str | bytes) -> str:
    """Print to standard output, for programs; return why it failed, or an empty string."""
    return _printed(text + b"\n" if isinstance(text, bytes) else f"{text}\n", err=False)


def shows_colours() -> bool:
    """Return whether stdout is a terminal, and colours are wanted (https://no-color.org)."""
    if sys.stdout is None or sys.stdout.closed or not sys.stdout.isatty():
        return False
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _printed(text: str | bytes, *, err: bool) -> str:
    if (sys.stderr if err else sys.stdout) is None:
        return "it is closed"
    try:
        _write(text, err=err)
    except OSError as error:
        return reason(error)
    except ValueError:  # csf has closed it
        return "it is closed"
    return ""


def _write(text: str | bytes, *, err: bool) -> None:
    """Write all of a text.

    Without a buffer (PYTHONUNBUFFERED), Python drops the bytes that one write(2) does not take, for
    example after a signal or on a full disk.
    """
    stream = sys.stderr if err else sys.stdout
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        click.echo(text, err=err, nl=False)
        return
    if isinstance(text, str):
        text = text.encode(stream.encoding, stream.errors or "strict")
    rest = memoryview(text)
    while rest:
        if (taken := raw.write(rest)) is None:
            raise BlockingIOError("its reader is not ready")
        rest = rest[taken:]


def give_up() -> None:
    """Drop output that could not be printed.

    Python would try to print it again when it exits; if that failed, the exit status would be 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _lead_nowhere(stream)


def _lead_nowhere(stream: object) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        descriptor = stream.fileno()  # type: ignore[attr-defined]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
