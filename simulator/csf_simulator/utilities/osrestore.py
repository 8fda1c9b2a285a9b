"""The simulated osrestore: restores databases from a backup image, or lists them.

Its options are those of the ObjectStore 6.0 manual, as far as they are known.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from io import FileIO

from csf_simulator.faults.run import FaultyRun, start_run
from csf_simulator.home import Home, require_home
from csf_simulator.image.layout import ImageError
from csf_simulator.image.reader import ImageReader, verify
from csf_simulator.image.scanner import Scanner
from csf_simulator.image.volumes import StreamVolume, VolumeInput, volume_for
from csf_simulator.program.arguments import Arguments, Option, parse
from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.program.numbers import whole_number
from csf_simulator.program.start import occupy_standard_descriptors, restore_signals
from csf_simulator.program.streams import STDIN, say
from csf_simulator.utilities.command import run_utility
from csf_simulator.utilities.media import STANDARD, Media
from csf_simulator.utilities.replacement import Guard, replace
from csf_simulator.utilities.targets import plan, read_pairs
from csf_simulator.utilities.termination import undo_on_signal

USAGE = """\
usage: osrestore [-a] [-n] [-t] [-b blocking-factor] -f image [-f image]... [source target]..."""

OPTIONS = (
    Option("-a"),
    Option("-b", takes_value=True),
    Option("-f", takes_value=True, repeatable=True),
    Option("-n"),
    Option("-t"),
)
# Invented, after osbackup's.
QUESTION = "Please enter the pathname of the next file to use for restore."
LOCK_WAIT = 10.0  # seconds, invented: how long a transaction may keep a restore waiting


def main() -> None:
    """Run as a program; a signal ends it, but leaves nothing half restored behind."""
    restore_signals()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file too large is an error like any other
    occupy_standard_descriptors()
    sys.exit(run(sys.argv[1:], guard=undo_on_signal))


def run(argv: list[str], guard: Guard = lambda undo: None) -> int:
    """Run with the arguments given.

    Args:
        argv: the arguments.
        guard: called before anything is written, with what undoes it if the process must end.

    Returns:
        Exit status: 0, or 1 for any failure.
    """
    return run_utility(lambda words: _restore(words, guard), USAGE, argv)


def _restore(argv: list[str], guard: Guard) -> None:
    """List or restore the databases of an image."""
    arguments = parse(OPTIONS, argv)
    _check(arguments)
    home = Home(require_home())
    faulty_run = start_run(home.faults, "osrestore")
    faulty_run.begin()
    media = Media(arguments.values["-f"], QUESTION, abort=arguments.has("-a"))
    scanner = Scanner(lambda number: media.open_next(lambda name: _open(name, number)))
    with contextlib.closing(scanner):
        try:
            reader = ImageReader(scanner)
            if arguments.has("-t"):
                _list(reader)
            else:
                _extract(reader, arguments, guard, faulty_run)
        except ImageError as error:
            raise UtilityError(f"{media.name}: {error}") from None


def _check(arguments: Arguments) -> None:
    """Raise UsageError unless the options make sense."""
    images = arguments.values.get("-f", [])
    if not images or (STANDARD in images and len(images) > 1):
        raise UsageError("name an image with -f; `-f -` must be the only name")
    if arguments.has("-b"):
        whole_number(arguments.values["-b"][0], 1, 512)
    if arguments.has("-t") and arguments.operands:
        raise UsageError("-t lists the whole image: it takes no pathnames")


def _open(name: str, number: int) -> VolumeInput:
    """Open an image; standard input is read in order, from its present position."""
    if name == STANDARD:
        return StreamVolume(FileIO("standard input", "rb", opener=lambda *_: os.dup(STDIN)))
    return volume_for(FileIO(name, "rb"), number)


def _list(reader: ImageReader) -> None:
    """Print the databases of an image, once the whole image is proven."""
    verify(reader)
    for database in reader.databases:
        say(database.path)


def _extract(
    reader: ImageReader, arguments: Arguments, guard: Guard, faulty_run: FaultyRun
) -> None:
    """Restore databases; nothing is touched unless the whole image is sound."""
    pairs = read_pairs(arguments.operands)
    targets = plan(reader.databases, pairs, descend=not arguments.has("-n"))
    with Home(require_home()).server.restoring([*targets.values()], LOCK_WAIT):
        replace(reader, targets, guard, faulty_run)
