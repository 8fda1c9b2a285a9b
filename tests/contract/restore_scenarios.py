"""What the documents say about osrestore."""

from __future__ import annotations

import os

from contract.bench import Bench, NotPossible
from contract.conformance import Seen, gather, scenario
from contract.installed import lines


@scenario("INF")
def options_are_taken_exactly_by_osrestore(bench: Bench) -> Seen:
    """Osrestore refuses an option it does not know, or one written together with its value."""
    bench.backup()
    wrong = [["-Z", "-f", "image"], ["-abort", "-f", "image"], ["--a", "-f", "image"], ["-fimage"]]
    done = [bench.osrestore("-t", *words).ending for words in wrong]
    return Seen(["failure"] * 4, done)


@scenario("DOC")
def abort_asks_nobody_for_an_image(bench: Bench) -> Seen:
    """Osrestore -a fails where an image cannot be opened, and asks nobody."""
    done = bench.osrestore("-a", "-f", "no/such/image", stdin=None)
    return Seen(["failure", False], [done.ending, done.asks])


@scenario("TXT")
def listing_names_every_database(bench: Bench) -> Seen:
    """Osrestore -t names every database in the image."""
    bench.backup()
    return Seen(sorted([bench.large, bench.small]), bench.listed())


@scenario("UNK")
def listing_is_one_full_pathname_a_line(bench: Bench) -> Seen:
    """Osrestore -t prints the full pathname of each database on a line, and nothing else."""
    bench.backup()
    done = bench.osrestore("-t", "-f", "image")
    return Seen(sorted([bench.large, bench.small]), sorted(done.words))


@scenario("TXT")
def listing_restores_nothing(bench: Bench) -> Seen:
    """Osrestore -t lists databases that are gone, and does not bring them back."""
    bench.backup()
    bench.remove_databases()
    listed = bench.listed()
    return Seen([sorted([bench.large, bench.small]), []], [listed, os.listdir(bench.repository)])


@scenario("TXT")
def databases_come_back_to_their_places(bench: Bench) -> Seen:
    """Osrestore -f brings databases that were removed back where they were, as large as before."""
    before = _sizes(bench)
    bench.backup()
    bench.remove_databases()
    bench.osrestore("-f", "image")
    return Seen(before, _sizes(bench))


@scenario("INF")
def databases_come_back_byte_for_byte(bench: Bench) -> Seen:
    """A restored database is the same file as before, to the byte."""
    before = [bench.read(path) for path in (bench.large, bench.small)]
    bench.backup()
    bench.remove_databases()
    bench.osrestore("-f", "image")
    after = [bench.read(path) for path in (bench.large, bench.small)]
    return Seen([True, True], [old == new for old, new in zip(before, after, strict=True)])


@scenario("INF")
def databases_are_overwritten_in_silence(bench: Bench) -> Seen:
    """Osrestore puts a database in the place of another one, and asks nobody."""
    bench.backup()
    target = bench.at("target.db")
    bench.osrestore("-f", "image", bench.large, target)
    first = bench.sectors(target)
    done = bench.osrestore("-f", "image", bench.small, target, stdin=None)
    return Seen(
        [bench.sectors(bench.large), bench.sectors(bench.small), "success", False],
        [first, bench.sectors(target), done.ending, done.asks],
    )


@scenario("DOC")
def volumes_are_one_image(bench: Bench) -> Seen:
    """Osrestore takes the volumes of an image with several -f, in the order they were written."""
    names = [f"v{number}" for number in range(1, bench.sectors(bench.large) * 512 // 40960 + 3)]
    flags = [word for name in names for word in ("-f", name)]
    bench.osbackup("-a", "-s", "80k", *flags, bench.large)
    if not bench.exists("v2"):
        raise NotPossible("osbackup wrote no second volume")
    before = bench.sectors(bench.large)
    os.unlink(bench.large)
    written = [word for name in names if bench.exists(name) for word in ("-f", name)]
    bench.osrestore("-a", *written)
    return Seen(before, bench.sectors(bench.large))


@scenario("DOC")
def standard_input_brings_an_image(bench: Bench) -> Seen:
    """Osrestore -f - restores the image it reads from stdin."""
    before = _sizes(bench)
    bench.backup()
    bench.remove_databases()
    bench.osrestore("-f", "-", stdin=bench.read("image"))
    return Seen(before, _sizes(bench))


@scenario("DOC")
def database_to_database(bench: Bench) -> Seen:
    """A pair of databases restores the first as the second, and nothing in its old place."""
    size = bench.sectors(bench.small)
    bench.backup()
    bench.remove_databases()
    bench.osrestore("-f", "image", bench.small, bench.at("target.db"))
    return Seen([size, []], [bench.sectors("target.db"), os.listdir(bench.repository)])


@scenario("DOC")
def directory_to_directory(bench: Bench) -> Seen:
    """A pair of directories restores all databases of the first under their names in the second."""
    before = _sizes(bench)
    bench.backup()
    bench.remove_databases()
    there = bench.at(bench.directory("there"))
    bench.osrestore("-f", "image", bench.repository, there)
    return Seen([before, {}], [_sizes(bench, there), _sizes(bench)])


@scenario("INF")
def database_to_directory(bench: Bench) -> Seen:
    """A pair of a database and a directory restores the one under its name in the other."""
    expected = {os.path.basename(bench.small): bench.sectors(bench.small)}
    bench.backup()
    there = bench.at(bench.directory("there"))
    bench.osrestore("-f", "image", bench.small, there)
    return Seen(expected, _sizes(bench, there))


@scenario("DOC")
def directory_to_database_is_illegal(bench: Bench) -> Seen:
    """A pair of a directory and a database is an error, and the database stays as it is."""
    bench.backup()
    bench.write("target.db", b"as it is")
    done = bench.osrestore("-a", "-f", "image", bench.repository, bench.at("target.db"))
    return Seen(["failure", True], [done.ending, bench.read("target.db") == b"as it is"])


@scenario("INF")
def pairs_restore_only_what_they_match(bench: Bench) -> Seen:
    """With a pair, osrestore leaves the image's other databases alone."""
    bench.backup()
    bench.remove_databases()
    bench.osrestore("-f", "image", bench.small, bench.small)
    return Seen([os.path.basename(bench.small)], os.listdir(bench.repository))


@scenario("INF")
def other_file_is_no_image(bench: Bench) -> Seen:
    """Osrestore -a of a file that is no image fails, with an error in ObjectStore's shape."""
    bench.write("image", b"no image" * 10_000)
    done = bench.osrestore("-a", "-f", "image")
    told = any(line.startswith("<err-") for line in lines(done.stderr))
    return Seen(["failure", True], [done.ending, told])


@scenario("INF")
def image_cut_short_restores_nothing(bench: Bench) -> Seen:
    """Osrestore -a of half an image fails, and restores not one database."""
    bench.backup()
    bench.remove_databases()
    image = bench.read("image")
    bench.write("image", image[: len(image) // 2])
    done = bench.osrestore("-a", "-f", "image")
    return Seen(["failure", []], [done.ending, os.listdir(bench.repository)])


@scenario("INF")
def exit_status_tells_how_a_restore_ended(bench: Bench) -> Seen:
    """Osrestore exits with 0 after success, and with another status after any failure."""
    bench.backup()
    calls = [["-f", "image"], ["-t", "-f", "image"], ["-f", "no/such/image"], []]
    endings = [bench.osrestore("-a", *words).ending for words in calls]
    return Seen(["success", "success", "failure", "failure"], endings)


def _sizes(bench: Bench, directory: str = "repository") -> dict[str, int]:
    """Return the number of sectors of each file in a directory."""
    directory = bench.at(directory)
    names = sorted(os.listdir(directory))
    return {name: bench.sectors(os.path.join(directory, name)) for name in names}


SCENARIOS = gather(globals())
