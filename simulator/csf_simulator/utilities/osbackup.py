"""The simulated osbackup: archives databases into a backup image.

Its options are those of the ObjectStore 6.0 manual, as far as they are known. A volume change
command (-S) is refused, not ignored.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import closing

from csf_simulator import __version__
from csf_simulator.faults.faulty_sink import faulty
from csf_simulator.faults.run import start_run
from csf_simulator.home import Home, require_home
from csf_simulator.image.archive import archive
from csf_simulator.image.writer import ImageWriter
from csf_simulator.program.arguments import parse
from csf_simulator.program.start import occupy_standard_descriptors, restore_signals
from csf_simulator.utilities.backup_volumes import BackupVolumes
from csf_simulator.utilities.command import run_utility
from csf_simulator.utilities.levels import open_default_record, open_record
from csf_simulator.utilities.osbackup_options import OPTIONS, USAGE, check, database_names
from csf_simulator.utilities.selection import select


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
    limit = check(arguments)
    record = open_record(arguments)
    databases = select(database_names(arguments), recurse=arguments.has("-r"))
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
        with closing(writer):
            writer.info(_note(record.level, len(sources)))
            archive(sources, writer, volumes.report, 2 if limit is None else 1, comparison)
        volumes.report_closed()
    faulty_run.end(arguments.values["-f"][0])
    record.record(image_id)


def _note(level: int, databases: int) -> str:
    """Write a note for people who look into the image: what it is."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return (
        f"SIMULATED ObjectStore backup image, by csf-simulator {__version__}\n"
        f"created: {created}\nhost: {os.uname().nodename}\nlevel: {level}\ndatabases: {databases}\n"
    )
