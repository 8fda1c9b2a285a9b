"""Correct inherited descriptors, working directory and umask while a command runs."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWNERS = 0o700  # the bits of a umask that concern a file's owner


@contextlib.contextmanager
def put_right() -> Iterator[None]:
    """Provide what files and programs need during the block.

    * Open standard descriptors: otherwise one of our files could get the number of one, and receive
      printed text.
    * A working directory that exists: shells and utilities complain otherwise.
    * A umask that lets a file's owner read and write it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
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
