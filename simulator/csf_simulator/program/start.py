"""Signals and descriptors of a process as a program in C++ has them, which Python changes."""

from __future__ import annotations

import os
import signal

from csf_simulator.program.streams import STDERR


def restore_signals() -> None:
    """Let signals end the process as they end the real utility, which is written in C++.

    Python ignores SIGPIPE and SIGXFSZ, and turns SIGINT into an exception.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def occupy_standard_descriptors() -> None:
    """Open those of 0, 1 and 2 that are closed: an image that got one would be written into."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(fd)
