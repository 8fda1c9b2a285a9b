"""The simulated osbackup: archives databases into a backup image.

Its options are those of the ObjectStore 6.0 manual, as far as they are known. A volume change
command (-S) is refused, not ignored.
"""

from __future__ import annotations

import os
import sys
import time

from csf_simulator import __version__
from csf_simulator.faults.faulty_sink import faulty
from csf_simulator.faults.run import start_run
from csf_simulator.home import Home, require_home
from csf_simulator.image.archive import archive
from csf_simulator.image.writer import ImageWriter
from csf_simulator.program.arguments import Arguments, Option, parse
from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.program.numbers import size, whole_number
from csf_simulator.program.start import occupy_standard_descriptors, restore_signals
from csf_simulator.utilities.backup_volumes import BackupVolumes
from csf_simulator.utilities.command import run_utility
from csf_simulator.utilities.levels import level_of, open_default_record, open_record
from csf_simulator.utilities.media import STANDARD
from csf_simulator.utilities.selection import read_import_file, select

USAGE = """\
usage: osbackup [-a] [-r] [-I import-file] [-i incremental-record-file] [-l level]
                -f image [-f image]... [-s volume-size] [-b blocking-factor]
                [-B buffer-size] [pathname]..."""

OPTIONS = (
    Option("-a"),
    Option("-b", takes_value=True),
    Option("-B", takes_value=True),
    Option("-f", takes_value=True, repeatable=True),
    Option("-i", takes_value=True),
    Option("-I", takes_value=True),
    Option("-l", takes_value=True),
    Option("-r"),
    Option("-s", takes_value=True),
    Option("-S", takes_value=True),
)
SMALLEST_VOLUME = 5 * 1024  # invented: any pathname has room, which takes up to 4,243 bytes


def main() -> None:
    """Run as a program."""
    restore_signals()
    occupy_standard_descriptors()
    sys.exit(run(sys.argv[1:]))


def run(argv: list[str]) -> int:
    """Run with the arguments given, and return the exit status: 0, or 1 for any failure."""
    return run_utility(_backup, USAGE, argv)


def _backup(argv: list[str]) -> None:
    """Archive the databases named; everything is checked before the image is opened."""
    arguments = parse(OPTIONS, argv)
    limit = _check(arguments)
    record = open_record(arguments)
    databases = select(_names(arguments), recurse=arguments.has("-r"))
    home = Home(require_home())
    paths = [*databases.values()]
    faulty_run = start_run(home.faults, "osbackup", paths, options=arguments.values)
    if faulty_run.keeps_record:
        record = open_default_record(arguments)
    faulty_run.begin()
    with home.server.snapshot(paths) as sources:
        taken = [*databases, *record.taken()]
        volumes = BackupVolumes(arguments.values["-f"], abort=arguments.has("-a"), taken=taken)
        image_id, comparison = os.urandom(8), record.compare(sources)
        writer = ImageWriter(image_id, faulty(volumes.open, faulty_run), limit)
        try:
            writer.info(_note(record.level, len(sources)))
            archive(sources, writer, volumes.report, 2 if limit is None else 1, comparison)
        finally:
            writer.close()
        volumes.report_closed()
    faulty_run.end(arguments.values["-f"][0])
    record.record(image_id)


def _check(arguments: Arguments) -> int | None:
    """Check all options.

    Returns:
        Bytes a volume may have; None for no limit.

    Raises:
        UsageError: An option is missing, or its value makes no sense.
        UtilityError: An option is not simulated.
    """
    images = arguments.values.get("-f", [])
    if not images or (STANDARD in images and (len(images) > 1 or arguments.has("-s"))):
        raise UsageError("name an image with -f; `-f -` stands alone and has no volumes")
    if arguments.has("-b"):
        whole_number(arguments.values["-b"][0], 1, 512)
    if arguments.has("-B"):
        size(arguments.values["-B"][0])
    level_of(arguments)
    if arguments.has("-S"):  # it would otherwise be ignored in silence
        raise UtilityError("a command at the change of volumes (-S) is not simulated")
    limit = size(arguments.values["-s"][0]) if arguments.has("-s") else None
    if limit is not None and limit < SMALLEST_VOLUME:
        smallest = f"{SMALLEST_VOLUME // 1024}k"
        raise UsageError(f"-s {arguments.values['-s'][0]}: the smallest volume is {smallest}")
    return limit


def _names(arguments: Arguments) -> list[str]:
    """Return the names of all databases and directories, the import file's first.

    Raises:
        UsageError: There are no names.
    """
    imported = [name for path in arguments.values.get("-I", []) for name in read_import_file(path)]
    names = imported + arguments.operands
    if not names:
        raise UsageError("name a database, or a file of names with -I")
    return names


def _note(level: int, databases: int) -> str:
    """Say, for people who look into the image, what it is."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return (
        f"SIMULATED ObjectStore backup image, by csf-simulator {__version__}\n"
        f"created: {created}\nhost: {os.uname().nodename}\nlevel: {level}\ndatabases: {databases}\n"
    )
