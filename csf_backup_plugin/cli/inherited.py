"""Correct what the process has inherited, apart from signals, while a command runs."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWNERS = 0o700  # what a umask takes away from a file's owner


@contextlib.contextmanager
def put_right() -> Iterator[None]:
    """Provide what files and programs need while the block runs.

    * Open standard descriptors: otherwise one of our files could get such a number, and would
      receive what is printed.
    * A working directory that exists: shells and utilities complain otherwise.
    * A umask that lets a file's owner read and write it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    try:
        os.getcwd()
    except OSError:
        os.chdir("/")
    before = os.umask(0o077)
    os.umask(before & ~_OWNERS)
    try:
        yield
    finally:
        os.umask(before)
