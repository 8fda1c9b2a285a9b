"""Set signals and descriptors of a process as a C++ program has them; Python changes them."""

from __future__ import annotations

import os
import signal

from csf_simulator.program.streams import STDERR


def restore_signals() -> None:
    """Let signals end the process as they end a program in C++, such as the real utilities.

    Python ignores SIGPIPE and SIGXFSZ, and turns SIGINT into an exception.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def occupy_standard_descriptors() -> None:
    """Open descriptors 0, 1 and 2 if they are closed, so that no image gets one of them."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        pass
    os.close(fd)
