"""What a process does first, to behave as a program in C++."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from csf_simulator.program.start import restore_signals


def test_signals_end_the_process_again() -> None:
    """What Python ignores or turns into an exception ends a program of C++."""
    numbers = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)
    before = [(number, signal.getsignal(number)) for number in numbers]
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        restore_signals()
        assert [signal.getsignal(number) for number in numbers] == [signal.SIG_DFL] * 3
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        restore_signals()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN  # as in the background of a shell
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@pytest.mark.measured
def test_closed_standard_descriptors_are_occupied() -> None:
    """No file opened later can become standard output or standard error."""
    script = (
        "import os\n"
        "from csf_simulator.program.start import occupy_standard_descriptors\n"
        "os.close(0); os.close(1)\n"
        "occupy_standard_descriptors()\n"
        "assert os.open(os.devnull, os.O_RDONLY) == 3\n"
        "os.write(1, b'lost'); os.write(2, b'seen')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"seen")
