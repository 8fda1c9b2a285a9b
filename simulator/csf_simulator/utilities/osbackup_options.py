"""The command line of osbackup: its options and their values."""

from __future__ import annotations

from csf_simulator.program.arguments import Arguments, Option
from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.program.numbers import size, whole_number
from csf_simulator.utilities.levels import level_of
from csf_simulator.utilities.media import STANDARD
from csf_simulator.utilities.selection import read_import_file

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


def check(arguments: Arguments) -> int | None:
    """Check all options.

    Returns:
        Bytes a volume may have; None for no limit.

    Raises:
        UsageError: an option is missing, or its value makes no sense.
        UtilityError: an option is not simulated.
    """
    images = arguments.values.get("-f", [])
    if not images or (STANDARD in images and (len(images) > 1 or arguments.has("-s"))):
        raise UsageError("name an image with -f; `-f -` must be the only name, and has no volumes")
    if arguments.has("-b"):
        whole_number(arguments.values["-b"][0], 1, 512)
    if arguments.has("-B"):
        size(arguments.values["-B"][0])
    level_of(arguments)
    if arguments.has("-S"):  # otherwise the option would have no effect
        raise UtilityError("a command at the change of volumes (-S) is not simulated")
    limit = size(arguments.values["-s"][0]) if arguments.has("-s") else None
    if limit is not None and limit < SMALLEST_VOLUME:
        smallest = f"{SMALLEST_VOLUME // 1024}k"
        raise UsageError(f"-s {arguments.values['-s'][0]}: the smallest volume is {smallest}")
    return limit


def database_names(arguments: Arguments) -> list[str]:
    """Return the names of all databases and directories, the import file's first.

    Raises:
        UsageError: there are no names.
    """
    imported = [name for path in arguments.values.get("-I", []) for name in read_import_file(path)]
    names = imported + arguments.operands
    if not names:
        raise UsageError("name a database, or a file of names with -I")
    return names
