"""What the documents say about osbackup."""

from __future__ import annotations

import os
import re

from contract.bench import Bench, NotPossible
from contract.conformance import Seen, gather, scenario
from contract.installed import Outcome, lines

VOLUME = 80 * 1024  # bytes; the size in the manual's own example
SHAPE = re.compile(r"<err-\d{4}-\d{4}>.+ \(err[-_][a-z_]+\)")


@scenario("INF")
def options_are_taken_exactly_by_osbackup(bench: Bench) -> Seen:
    """Osbackup refuses an option it does not know, or one written together with its value."""
    wrong = [["-Z", "-f", "image"], ["-abort", "-f", "image"], ["--a", "-f", "image"], ["-fimage"]]
    done = [bench.osbackup(*words, bench.small).ending for words in wrong]
    return Seen([*["failure"] * 4, False], [*done, bench.exists("image")])


@scenario("INF")
def abort_asks_nobody_for_another_image(bench: Bench) -> Seen:
    """Osbackup -a fails where an image cannot be opened, and asks nobody."""
    done = bench.osbackup("-a", "-f", "no/such/image", bench.small, stdin=None)
    return Seen(["failure", False], [done.ending, done.asks])


@scenario("TXT")
def import_file_names_the_databases(bench: Bench) -> Seen:
    """Osbackup -a -I archives exactly the databases that the import file names."""
    bench.write("names", os.fsencode(bench.small + "\n"))
    bench.osbackup("-a", "-I", "names", "-f", "image")
    return Seen([bench.small], bench.listed())


@scenario("DOC")
def command_line_names_the_databases(bench: Bench) -> Seen:
    """Osbackup archives exactly the databases that its command line names."""
    bench.osbackup("-a", "-f", "image", bench.small)
    return Seen([bench.small], bench.listed())


@scenario("DOC")
def database_may_be_named_with_its_host(bench: Bench) -> Seen:
    """Osbackup takes a database as host:/path."""
    bench.osbackup("-a", "-f", "image", f"{os.uname().nodename}:{bench.small}")
    return Seen([bench.small], bench.listed())


@scenario("DOC")
def colon_after_a_slash_is_ordinary(bench: Bench) -> Seen:
    """Osbackup takes a database whose file name has a colon."""
    with_colon = f"{bench.repository}/a:b"
    os.rename(bench.small, with_colon)
    bench.small = with_colon
    bench.osbackup("-a", "-f", "image", with_colon)
    return Seen([with_colon], bench.listed())


@scenario("DOC")
def backup_tells_what_it_does(bench: Bench) -> Seen:
    """Osbackup prints one line for each volume's start and end and one for each database."""
    done = bench.osbackup("-a", "-f", "./image", bench.large, bench.small)
    told = [f"Archiving database {path}." for path in sorted([bench.large, bench.small])]
    expected = [*told, "Closing volume #1 (./image).", "Writing backup volume #1 (./image)..."]
    return Seen(expected, _told(done))


@scenario("INF")
def words_are_on_stdout(bench: Bench) -> Seen:
    """Osbackup prints its lines on stdout, and nothing on stderr."""
    done = bench.osbackup("-a", "-f", "image", bench.small)
    return Seen([True, ""], [b"Archiving" in done.stdout, os.fsdecode(done.stderr)])


@scenario("DOC")
def sectors_are_counted_up(bench: Bench) -> Seen:
    """Osbackup counts ceil(size / 512) sectors of a database."""
    expected = {path: bench.sectors(path) for path in (bench.large, bench.small)}
    return Seen(expected, bench.osbackup("-a", "-f", "image", *expected).archived)


@scenario("INF")
def image_is_overwritten_in_silence(bench: Bench) -> Seen:
    """Osbackup writes over an existing image, and asks nobody."""
    bench.write("image", b"no image" * 100_000)
    done = bench.osbackup("-f", "image", bench.small, stdin=None)
    return Seen(
        ["success", False, [bench.small]],
        [done.ending, done.asks, bench.listed()],
    )


@scenario("DOC")
def volumes_are_switched(bench: Bench) -> Seen:
    """Osbackup -s prints a line for each volume it starts, ends and switches to."""
    names, done = _backup_in_volumes(bench)
    expected = [f"Archiving database {bench.large}."]
    for number, name in enumerate(names, 1):
        expected += [f"Writing backup volume #{number} ({name})..."]
        expected += [f"Closing volume #{number} ({name})."]
        expected += [f"Auto switching to volume #{number} ({name})."] if number > 1 else []
    return Seen(sorted(expected), _told(done))


@scenario("DOC")
def volumes_keep_to_their_size(bench: Bench) -> Seen:
    """Osbackup -s 80k writes no volume of more than 80 KiB."""
    names, _ = _backup_in_volumes(bench)
    return Seen([], [name for name in names if len(bench.read(name)) > VOLUME])


@scenario("DOC")
def operator_is_asked_for_more_volumes(bench: Bench) -> Seen:
    """Osbackup -s without enough files asks for the next one, and reads its name from stdin."""
    answers = "".join(f"./v{number}\n" for number in range(2, _enough(bench)))
    done = bench.osbackup("-s", "80k", "-f", "./v1", bench.large, stdin=answers.encode())
    question = "Please enter the pathname of the next file to use for backup."
    return Seen(
        ["success", True, True],
        [done.ending, question in done.words, bench.exists("v2")],
    )


@scenario("DOC")
def standard_output_takes_an_image(bench: Bench) -> Seen:
    """Osbackup -f - writes the image to stdout, from where osrestore -f - takes it."""
    image = bench.osbackup("-a", "-f", "-", bench.large, bench.small).stdout
    return Seen(sorted([bench.large, bench.small]), bench.listed("-", stdin=image))


@scenario("INF")
def words_give_way_to_the_image(bench: Bench) -> Seen:
    """Osbackup -f - prints its lines on stderr."""
    done = bench.osbackup("-a", "-f", "-", bench.small)
    return Seen([False, True], [b"Archiving" in stream for stream in (done.stdout, done.stderr)])


@scenario("DOC")
def errors_have_their_shape(bench: Bench) -> Seen:
    """An error is told on stderr as <err-NNNN-NNNN>text (exception's name)."""
    done = bench.osbackup("-a", "-f", "image", bench.at("missing.db"))
    found = [SHAPE.fullmatch(line) for line in lines(done.stderr)]
    return Seen(expected=True, observed=any(found))


@scenario("DOC")
def missing_database_is_named_by_its_exception(bench: Bench) -> Seen:
    """Osbackup of a database that is not there fails with err_database_not_found."""
    done = bench.osbackup("-a", "-f", "image", bench.at("missing.db"))
    return Seen(expected=True, observed=b"(err_database_not_found)" in done.stderr)


@scenario("INF")
def exit_status_tells_how_a_backup_ended(bench: Bench) -> Seen:
    """Osbackup exits with 0 after success, and with another status after any failure."""
    good = bench.osbackup("-a", "-f", "image", bench.small)
    bad = [
        bench.osbackup("-a", "-f", "image", bench.at("missing.db")),
        bench.osbackup("-a", "-f", "no/such/image", bench.small),
        bench.osbackup("-a", bench.small),
    ]
    endings = [done.ending for done in (good, *bad)]
    return Seen(["success", "failure", "failure", "failure"], endings)


def _told(done: Outcome) -> list[str]:
    """Return the lines, sorted, for their order is not dependable, and without numbers of sectors.

    A host before a database's path is left out.
    """
    archiving = re.compile(r"Archiving \d+ sectors in database (?:[^/:]+::?)?/")
    return sorted(archiving.sub("Archiving database /", line) for line in done.words)


def _enough(bench: Bench) -> int:
    """Return a number of volumes that the large database does not need."""
    return os.path.getsize(bench.large) * 2 // VOLUME + 3


def _backup_in_volumes(bench: Bench) -> tuple[list[str], Outcome]:
    """Back the large database up; return the volumes that were written, and how it went.

    Raises:
        NotPossible: There are not several.
    """
    names = [f"./v{number}" for number in range(1, _enough(bench))]
    flags = [word for name in names for word in ("-f", name)]
    done = bench.osbackup("-a", "-s", "80k", *flags, bench.large)
    written = [name for name in names if bench.exists(name)]
    if len(written) < 2:
        raise NotPossible(f"osbackup wrote {len(written)} volumes: {done.words}")
    return written, done


SCENARIOS = gather(globals())
