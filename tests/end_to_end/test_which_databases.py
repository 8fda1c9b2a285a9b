"""Which databases belong to a repository: nothing is left to chance, or left out in silence."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ways import over_ssh

from csf_simulator.repository import repository

if TYPE_CHECKING:
    from conftest import Place, Tools

    from csf_simulator.simulator import Result
    from sites import Site

# Which databases there are is decided above the hosts; over ssh runs what a host does its own way.
pytestmark = pytest.mark.ways("local")

# What a class's database may be called where the master database is master.db.
OTHER_NAMES = ["Book.mdb", "Book", "BOOK.DB", "Book.db.old"]

# A csf whose class_create makes a file, or none, and returns whatever it is told to.
CSF = """
import click
import pluggy

hookspec = pluggy.HookspecMarker("csf")
hookimpl = pluggy.HookimplMarker("csf")


class Hooks:
    @hookspec
    def register_commands(self, cli): ...

    @hookspec(firstresult=True)
    def class_create(self, master_database, class_name): ...


class Own:
    @hookimpl
    def class_create(self, master_database, class_name):
        if made:
            open(made, "x").close()
        return class_name


pm = pluggy.PluginManager("csf")
pm.add_hookspecs(Hooks)
pm.load_setuptools_entrypoints("csf")
csf = click.Group("csf")
pm.hook.register_commands(cli=csf)


@csf.command("create")
@click.argument("master")
@click.argument("returned")
@click.argument("file", required=False)
def create(master, returned, file):
    global made
    made = file
    pm.register(Own())
    click.echo(pm.hook.class_create(master_database=master, class_name=returned))


csf()
"""

# An osrestore that makes a link to the live database in place of a restored copy.
LINKING = """#!/bin/sh
{real} "$@" || exit
[ "$1" = -t ] && exit
for restored in "$4"/Class1.db; do
    rm "$restored" && {link} "$3/Class1.db" "$restored"
done
"""

# An osrestore that fails after its work.
FAILING = """#!/bin/sh
{real} "$@" || exit
[ "$1" = -t ] || exit 3
"""


def manifest(site: Site, *options: str, master: str | None = None) -> Result:
    """Show or change the manifest of the site's repository, or of another repository there."""
    words = ["csf", "admin_database_manifest", "-database", master or site.master]
    return site.sim.run([*words, "-host", site.host, *options])


def shown(site: Site, *options: str) -> dict[str, Any]:
    """Return what the command prints about the manifest, and about an image beside it."""
    facts: dict[str, Any] = json.loads(manifest(site, "-json", *options).stdout)
    return facts


def back_up(site: Site, image: str, *options: str) -> dict[str, Any]:
    """Back the site's repository up to an image of that name; return the messages."""
    site.image = str(site.images / image)
    done = site.backup("-json", *options)
    assert done.exit_code == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def type_in(site: Site, text: str) -> list[Result]:
    """Run every command in a text: one on a line of its own, or after the last colon of a line."""
    starts = [line.find("csf admin_database_") for line in text.splitlines()]
    lines = zip(text.splitlines(), starts, strict=True)
    return [site.sim.run(shlex.split(line[start:])) for line, start in lines if start >= 0]


def copy_of_a_class(site: Site, path: str) -> str:
    """Make a file that is a sound database."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.copy(os.path.join(site.repository, "Class1.db"), path)
    return path


def contents(*paths: str) -> dict[str, tuple[int, bytes]]:
    """Return the timestamps and contents of the files."""
    return {path: (os.stat(path).st_mtime_ns, Path(path).read_bytes()) for path in paths}


@pytest.fixture
def outside(site: Site) -> str:
    """Return a database that the manifest lists, outside the repository's directory."""
    far = copy_of_a_class(site, f"{site.repository}-far/Far.odb")
    back_up(site, "before")
    assert manifest(site, "-add", far).exit_code == 0
    return far


@pytest.fixture
def other(site: Site) -> str:
    """Return a second master database, in the directory of the first, with its own schema."""
    second = os.path.join(site.repository, "zoo.db")
    return repository.create(site.sim.home.server, second)


def base_databases(second: str) -> list[str]:
    """Return the two databases that a new second repository has."""
    return [second, second.replace("zoo.db", "zoo_schema.db")]


def told_apart(site: Site, second: str) -> dict[str, list[str]]:
    """Drop the second repository's databases from the first; return what the backup of each has."""
    back_up(site, "both")
    drops = [word for path in base_databases(second) for word in ("-drop", path)]
    assert manifest(site, *drops).exit_code == 0
    sets = {site.master: sorted(back_up(site, "first")["databases"])}
    first, site.master = site.master, second
    sets[second] = sorted(back_up(site, "second")["databases"])
    site.master = first
    return sets


@pytest.mark.ways("local", "ssh")
@pytest.mark.parametrize("name", over_ssh(OTHER_NAMES, OTHER_NAMES[0]))
def test_what_the_manifest_lists_counts_whatever_its_name(
    site: Site, tmp_path: Path, name: str
) -> None:
    """It is backed up each time, restored and drilled."""
    book = copy_of_a_class(site, os.path.join(site.repository, name))
    back_up(site, "0")
    added = manifest(site, "-add", book)
    assert added.exit_code == 0
    assert f"added: {book}" in added.stderr
    assert book in back_up(site, "1")["databases"]
    assert book in back_up(site, "2")["databases"]
    assert shown(site)["agrees"]
    saved = Path(book).read_bytes()
    os.unlink(book)
    assert site.restore("-yes").exit_code == 0
    assert Path(book).read_bytes() == saved
    assert site.on_image("admin_database_verify").exit_code == 0
    drilled = site.on_image("admin_database_drill", "-scratch-dir", str(tmp_path))
    assert drilled.exit_code == 0, drilled.stderr
    assert manifest(site, "-rebuild").exit_code == 0
    assert book in back_up(site, "3")["databases"]


def test_all_suffixes_of_a_repository_may_differ_from_its_masters(site: Site) -> None:
    """The master database may be .mdb and its classes .db, once they are added."""
    master = site.master.replace(".db", ".mdb")
    os.rename(site.master, master)
    site.master = master
    assert list(back_up(site, "1")["databases"]) == [master]
    classes = sorted(site.databases())
    added = manifest(site, *(word for path in classes for word in ("-add", path)))
    assert added.exit_code == 0, added.stderr
    assert sorted(back_up(site, "2")["databases"]) == sorted([master, *classes])


def test_what_is_listed_and_lost_is_missing_whatever_its_name(site: Site) -> None:
    """The printed command drops it, and the next backup is made without it."""
    book = copy_of_a_class(site, os.path.join(site.repository, "Book"))
    back_up(site, "1")
    assert manifest(site, "-add", book).exit_code == 0
    os.unlink(book)
    site.image = str(site.images / "2")
    refused = site.backup()
    assert refused.exit_code == 13
    assert f"in the manifest and not on disk: {book}" in refused.stderr
    assert shown(site)["differences"]["in the manifest and not on disk"] == [book]
    assert [typed.exit_code for typed in type_in(site, refused.stderr)] == [0]
    assert book not in back_up(site, "2")["databases"]


def test_a_master_database_without_suffix_has_databases_without(site: Site) -> None:
    """None of the plugin's files beside it is taken for a database."""
    bare = os.path.join(site.repository, "master")
    os.rename(site.master, bare)
    site.master = bare
    book = copy_of_a_class(site, os.path.join(site.repository, "Book"))
    assert list(back_up(site, "1")["databases"]) == [bare, book]
    assert list(back_up(site, "2")["databases"]) == [bare, book]


@pytest.mark.ways("local", "ssh")
def test_what_looks_like_a_database_and_is_not_taken_is_reported(site: Site) -> None:
    """Backup and manifest warn about it, and the printed command adds it."""
    alike = copy_of_a_class(site, os.path.join(site.repository, "BOOK.DB"))
    made = back_up(site, "1")
    assert alike not in made["databases"]
    (told,) = [warning for warning in made["warnings"] if alike in warning]
    facts = shown(site)
    assert facts["left_out"] == [alike]
    assert facts["agrees"]
    assert f"looks like a database, and is not in the manifest: {alike}" in manifest(site).stderr
    assert [typed.exit_code for typed in type_in(site, told)] == [0]
    assert alike in back_up(site, "2")["databases"]


def test_every_suffix_that_is_listed_makes_others_look_alike(site: Site) -> None:
    """No warning is given about files with other suffixes."""
    for name in ("One.odb", "Two.odb", "notes.txt"):
        copy_of_a_class(site, os.path.join(site.repository, name))
    back_up(site, "1")
    assert shown(site)["left_out"] == []
    manifest(site, "-add", os.path.join(site.repository, "One.odb"))
    two = os.path.join(site.repository, "Two.odb")
    assert shown(site)["left_out"] == [two]
    assert any(two in warning for warning in back_up(site, "2")["warnings"])


@pytest.mark.ways("local", "ssh")
def test_a_directory_with_a_databases_name_is_reported(site: Site) -> None:
    """It may be a directory that was unpacked there by mistake."""
    os.mkdir(os.path.join(site.repository, "Dir.db"))
    assert any("Dir.db has a database's name" in text for text in back_up(site, "1")["warnings"])


@pytest.mark.ways("local", "ssh")
def test_the_second_of_two_masters_is_refused_with_a_way_out(site: Site, other: str) -> None:
    """The first one has all databases; the printed commands make the manifests disjoint."""
    assert set(base_databases(other)) < {*back_up(site, "first")["databases"]}
    first, site.master = site.master, other
    site.image = str(site.images / "second")
    before = site.listing()
    refused = site.backup()
    assert refused.exit_code == 13
    after = site.listing()
    assert {path for path in after if not path.endswith(".lock")} == {
        path for path in before if not path.endswith(".lock")
    }
    assert all(typed.exit_code == 0 for typed in type_in(site, refused.stderr))
    second = {*back_up(site, "second")["databases"]}
    site.master = first
    assert not second & {*back_up(site, "again")["databases"]}


def test_the_refusal_names_every_database_that_may_have_to_be_dropped(
    site: Site, other: str
) -> None:
    """A user who runs only the printed commands leaves no database of the second to the first."""
    back_up(site, "first")
    site.master = other
    site.image = str(site.images / "second")
    refused = site.backup()
    assert refused.exit_code == 13
    assert base_databases(other)[1] in refused.stderr


def test_two_masters_that_are_distinguished_share_nothing(site: Site, other: str) -> None:
    """Every database is in exactly one of the backups; new classes go to their own master."""
    sets = told_apart(site, other)
    assert sets[other] == base_databases(other)
    assert sorted([*sets[site.master], *sets[other]]) == sorted(site.databases())
    book = site.create("Book")
    lion = site.sim.csf("class_create", "-database", other, "-class", "Lion").stdout.rstrip()
    assert sorted(back_up(site, "first2")["databases"]) == sorted([*sets[site.master], book])
    facts = shown(site)
    assert facts["agrees"]
    assert facts["others"] == {other: sorted([*sets[other], lion])}
    site.master = other
    assert sorted(back_up(site, "second2")["databases"]) == sorted([*sets[other], lion])


@pytest.mark.ways("local", "ssh")
def test_restoring_one_of_two_leaves_the_other_alone(site: Site, other: str) -> None:
    """Its newer databases are not extra databases, with or without -quarantine."""
    sets = told_apart(site, other)
    lion = site.sim.csf("class_create", "-database", other, "-class", "Lion").stdout.rstrip()
    theirs = contents(*sets[other], lion, f"{other}.manifest")
    ours = {path: fact[1] for path, fact in contents(*sets[site.master]).items()}
    site.image = str(site.images / "first")
    with open(f"{other}.lock") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for options in (["-yes"], ["-yes", "-quarantine"]):
            done = site.restore(*options)
            assert done.exit_code == 0, done.stderr
    assert contents(*theirs) == theirs
    assert {path: fact[1] for path, fact in contents(*ours).items()} == ours
    site.master, site.image = other, str(site.images / "second")
    assert site.restore("-yes").exit_code == 60
    assert site.restore("-yes", "-quarantine").exit_code == 0
    assert {path: fact[1] for path, fact in contents(*ours).items()} == ours


def test_an_image_of_before_is_not_restored_over_another_repository(site: Site, other: str) -> None:
    """The image has the databases of both; nothing is changed, and the printed command works."""
    told_apart(site, other)
    site.image = str(site.images / "both")
    before = site.listing()
    for options in (["-yes"], ["-yes", "-quarantine"], ["-dry-run"]):
        refused = site.restore(*options)
        assert refused.exit_code == 13
        assert other in refused.stderr
    assert site.listing() == before
    assert [typed.exit_code for typed in type_in(site, refused.stderr)] == [0]


def test_a_database_that_may_be_of_either_is_refused_until_it_is_added(
    site: Site, other: str
) -> None:
    """The printed command adds it to one repository, and only that one backs it up from then on."""
    told_apart(site, other)
    stray = copy_of_a_class(site, os.path.join(site.repository, "Stray.db"))
    first = site.master
    for master in (first, other):
        site.master, site.image = master, str(site.images / "new")
        refused = site.backup()
        assert refused.exit_code == 13
        assert stray in refused.stderr
        assert stray in manifest(site).stderr
    (way,) = [line for line in refused.stderr.splitlines() if f"-database {other} " in line]
    assert [typed.exit_code for typed in type_in(site, way)] == [0]
    assert stray in back_up(site, "new2")["databases"]
    site.master = first
    assert stray not in back_up(site, "new1")["databases"]


def test_neither_takes_what_the_other_lists(site: Site, other: str) -> None:
    """Both -add and a rebuild that would take it are refused."""
    sets = told_apart(site, other)
    refused = manifest(site, "-add", sets[other][1])
    assert refused.exit_code == 13
    before = Path(f"{site.master}.manifest").read_bytes()
    assert manifest(site, "-rebuild", "-add", sets[other][1]).exit_code == 13
    assert Path(f"{site.master}.manifest").read_bytes() == before
    assert manifest(site, "-rebuild").exit_code == 0
    assert sorted(back_up(site, "rebuilt")["databases"]) == sets[site.master]
    assert all(typed.exit_code == 0 for typed in type_in(site, refused.stderr))
    assert manifest(site, "-add", sets[other][1]).exit_code == 0


def test_beside_a_damaged_manifest_nobody_knows_whose_databases_are(site: Site, other: str) -> None:
    """Backup, restore and -add are refused until the manifest is rebuilt."""
    sets = told_apart(site, other)
    damaged = Path(f"{other}.manifest")
    damaged.write_bytes(damaged.read_bytes().replace(b"zoo_", b"zoa_"))
    site.image = str(site.images / "first")
    assert site.restore("-yes").exit_code == 13
    site.image = str(site.images / "first2")
    refused = site.backup()
    assert refused.exit_code == 13
    assert str(damaged) in refused.stderr
    assert manifest(site, "-add", sets[other][1]).exit_code == 13
    assert manifest(site, "-rebuild", "-add", sets[other][1], master=other).exit_code == 0
    assert sorted(back_up(site, "first2")["databases"]) == sets[site.master]


def test_a_lost_master_beside_another_one_is_restored(site: Site, other: str) -> None:
    """If its manifest is lost, too, the databases in its image are still known to be its own."""
    sets = told_apart(site, other)
    before = site.databases()
    os.unlink(site.master)
    os.unlink(f"{site.master}.manifest")
    site.image = str(site.images / "first")
    theirs = contents(*sets[other])
    done = site.restore("-yes")
    assert done.exit_code == 0, done.stderr
    assert site.databases() == before
    assert contents(*sets[other]) == theirs
    assert sorted(back_up(site, "first2")["databases"]) == sets[site.master]


def test_a_lost_master_can_be_restored_although_a_database_may_be_of_either(
    site: Site, other: str
) -> None:
    """The printed command works even while there is no master database."""
    told_apart(site, other)
    copy_of_a_class(site, os.path.join(site.repository, "Stray.db"))
    os.unlink(site.master)
    site.image = str(site.images / "first")
    refused = site.restore("-yes", "-quarantine")
    if refused.exit_code == 13:
        typed = type_in(site, refused.stderr)
        assert 0 in [one.exit_code for one in typed], refused.stderr
        assert all(one.exit_code in (0, 13) for one in typed), refused.stderr
        assert site.restore("-yes", "-quarantine").exit_code == 0


def test_a_manifest_that_is_lost_beside_another_one_is_rebuilt(site: Site, other: str) -> None:
    """Receipts from before the separation do not bring back what was dropped."""
    sets = told_apart(site, other)
    for suffix in ("", ".dbn", ".receipt.json"):
        os.unlink(site.images / f"first{suffix}")
    os.unlink(f"{site.master}.manifest")
    site.image = str(site.images / "next")
    for _ in range(3):
        refused = site.backup()
        if refused.exit_code != 13:
            break
        (way,) = [
            part
            for part in refused.stderr.partition("If one of the two")[0].split("\nOr ")
            if f"are {other}'s" in part or "Or if" not in refused.stderr
        ]
        assert all(typed.exit_code == 0 for typed in type_in(site, way)), refused.stderr
    assert refused.exit_code == 0, refused.stderr
    assert not {*shown(site)["on_disk"]} & {*sets[other]}


@pytest.mark.ways("local", "ssh")
@pytest.mark.parametrize("damage", ["deleted", "a link to nothing", "without its last newline"])
def test_a_database_outside_is_not_forgotten(site: Site, outside: str, damage: str) -> None:
    """Whatever happened to the manifest, the next backup has the database, or is refused."""
    path = f"{site.master}.manifest"
    if damage == "without its last newline":  # that is the line of the database
        os.truncate(path, os.path.getsize(path) - 1)
    else:
        back_up(site, "with")
        os.unlink(path)
    if damage == "a link to nothing":
        os.symlink("nowhere", path)
        site.image = str(site.images / "after")
        refused = site.backup()
        assert refused.exit_code == 13
        assert path in refused.stderr
        os.unlink(path)
    made = back_up(site, "after")
    assert outside in made["databases"]
    assert shown(site)["agrees"]
    told = [text for text in made["warnings"] if "does not say which repository" in text]
    assert bool(told) == (damage != "without its last newline")


@pytest.mark.parametrize("then", ["class_create", "rebuild"])
def test_a_new_manifest_learns_of_it_from_the_receipts(site: Site, outside: str, then: str) -> None:
    """A class_create or a rebuild after the loss finds the database in the receipts."""
    back_up(site, "with")
    os.unlink(f"{site.master}.manifest")
    if then == "rebuild":
        assert manifest(site, "-rebuild").exit_code == 0
    else:
        site.create("Book")
    assert outside in back_up(site, "after")["databases"]


@pytest.mark.ways("local", "ssh")
def test_a_lost_disk_is_restored_with_what_lies_outside(site: Site, outside: str) -> None:
    """The next backup includes the database outside again."""
    back_up(site, "with")
    saved = Path(outside).read_bytes()
    shutil.rmtree(site.repository)
    os.mkdir(site.repository)
    os.unlink(outside)
    assert site.restore("-yes").exit_code == 0
    assert Path(outside).read_bytes() == saved
    assert outside in back_up(site, "after")["databases"]


def test_what_osrestore_brought_back_by_hand_is_not_forgotten(site: Site, outside: str) -> None:
    """After the README's restore without csf there is no manifest."""
    back_up(site, "with")
    shutil.rmtree(site.repository)
    os.mkdir(site.repository)
    assert site.sim.run(["osrestore", "-f", site.image]).exit_code == 0
    assert outside in back_up(site, "after")["databases"]


@pytest.mark.ways("local", "ssh")
def test_a_line_that_was_cut_short_is_reported(site: Site, outside: str) -> None:
    """Backup and manifest report the line until the manifest is rebuilt."""
    path = f"{site.master}.manifest"
    os.truncate(path, os.path.getsize(path) - 3)
    assert "is incomplete" in manifest(site).stderr
    for image in ("one", "two"):
        assert any("is incomplete" in text for text in back_up(site, image)["warnings"])
    assert manifest(site, "-rebuild", "-add", outside).exit_code == 0
    made = back_up(site, "three")
    assert outside in made["databases"]
    assert not any("is incomplete" in text for text in made["warnings"])


def test_a_database_of_the_receipts_that_is_gone_can_be_dropped(site: Site, outside: str) -> None:
    """The lost manifest does not list it, but the printed command works."""
    back_up(site, "with")
    os.unlink(f"{site.master}.manifest")
    os.unlink(outside)
    site.image = str(site.images / "after")
    refused = site.backup()
    assert refused.exit_code == 13
    assert outside in refused.stderr
    assert all(typed.exit_code == 0 for typed in type_in(site, refused.stderr))
    assert outside not in back_up(site, "after")["databases"]


def test_what_is_dropped_from_a_new_manifest_stays_dropped(site: Site, outside: str) -> None:
    """The receipts that give the id do not bring the database back."""
    back_up(site, "with")
    os.unlink(f"{site.master}.manifest")
    assert manifest(site, "-rebuild", "-drop", outside).exit_code == 0
    assert outside not in back_up(site, "after")["databases"]


@pytest.mark.ways("local", "ssh")
def test_a_rebuild_takes_what_an_image_lists(site: Site, outside: str) -> None:
    """The rebuild reports what is not on disk any more."""
    gone = site.create("Gone")
    back_up(site, "with")
    os.unlink(f"{site.master}.manifest")
    os.unlink(gone)
    done = manifest(site, "-rebuild", "-image-file", f"{site.host}:{site.image}", "-json")
    assert done.exit_code == 0, done.stderr
    facts = json.loads(done.stdout)
    assert outside in facts["added"]
    assert facts["absent"] == [gone]
    made = back_up(site, "after")
    assert outside in made["databases"]
    assert not any("does not say" in text for text in made["warnings"])


def test_what_is_there_is_never_called_missing_from_the_disk(site: Site, outside: str) -> None:
    """An image with databases that the manifest does not list is compared with the disk itself."""
    back_up(site, "with")
    os.unlink(f"{site.master}.manifest")
    assert manifest(site, "-rebuild").exit_code == 0
    differences = shown(site, "-image-file", f"{site.host}:{site.image}")["differences"]
    assert differences["in the image and not on disk"] == []
    assert differences["in the image, on disk, and not in the manifest"] == [outside]


def test_what_was_dropped_is_reported_and_not_backed_up(site: Site) -> None:
    """The file stays where it is, and a restore of an image with it does not overwrite it."""
    junk = copy_of_a_class(site, os.path.join(site.repository, "Junk.db"))
    assert junk in back_up(site, "with")["databases"]
    assert manifest(site, "-drop", junk).exit_code == 0
    assert shown(site)["dropped"] == [junk]
    made = back_up(site, "without")
    assert junk not in made["databases"]
    assert any(junk in warning for warning in made["warnings"])
    assert manifest(site, "-rebuild").exit_code == 0
    assert junk not in back_up(site, "rebuilt")["databases"]
    site.image = str(site.images / "with")
    refused = site.restore("-yes")
    assert refused.exit_code == 13
    assert all(typed.exit_code == 0 for typed in type_in(site, refused.stderr))
    assert site.restore("-yes").exit_code == 0
    assert junk in back_up(site, "again")["databases"]


def test_only_databases_that_are_there_are_added_or_dropped(site: Site) -> None:
    """Anything else is a usage error, and the manifest stays unchanged."""
    back_up(site, "1")
    before = Path(f"{site.master}.manifest").read_bytes()
    for options in (
        ["-add", f"{site.repository}/none.db"],
        ["-add", "relative.db"],
        ["-add", site.repository],
        ["-drop", f"{site.repository}/none.db"],
        ["-drop", site.master],
        ["-drop", f"{site.repository}/Class1.db", "-add", f"{site.repository}/Class1.db"],
    ):
        refused = manifest(site, *options)
        assert refused.exit_code == 2, options
        assert "Traceback" not in refused.stderr
    assert Path(f"{site.master}.manifest").read_bytes() == before


@pytest.fixture
def creator(place: Place, tools: Tools, tmp_path: Path) -> list[str]:
    """Return the command line of a csf that creates classes in its own way."""
    program = tmp_path / "csf.py"
    program.write_text(CSF)
    (tmp_path / "elsewhere").mkdir()
    return [sys.executable, str(program)]


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options
    )


def backed_up(creator: list[str], place: Place, *options: str) -> list[str]:
    """Back a directory up with tar; return the databases that are in the image."""
    image = ("-database", place.master, "-image-file", f"localhost:{place.image}")
    ended = run(*creator, "admin_database_backup", *image, *options)
    assert ended.returncode == 0, ended.stderr
    return Path(f"{place.image}.dbn").read_text().splitlines()


@pytest.mark.parametrize("name", [*OTHER_NAMES, "../elsewhere/Far.odb"])
def test_class_create_may_name_its_database_as_it_likes(
    place: Place, creator: list[str], name: str
) -> None:
    """Whatever its name, the next backup includes the database."""
    new = os.path.normpath(place.repository / name)
    created = run(*creator, "create", place.master, new, new)
    assert created.returncode == 0
    assert created.stderr == ""
    assert new in backed_up(creator, place)


def test_a_relative_result_is_resolved_against_the_masters_directory(
    place: Place, creator: list[str], tmp_path: Path
) -> None:
    """The working directory does not matter, if the file exists."""
    new = str(place.repository / "Book")
    created = run(*creator, "create", place.master, "Book", new, cwd=tmp_path)
    assert created.returncode == 0
    said = f"class_create returned the relative path Book; recorded is {new}"
    assert created.stderr == f"warning: {said}\n"
    assert new in backed_up(creator, place)


@pytest.mark.parametrize("result", ["None.db", "{0}/None.db", "{0}", "a\nb"])
def test_a_result_that_is_no_file_is_reported_and_not_recorded(
    place: Place, creator: list[str], result: str
) -> None:
    """The class counts as created, and the next backup is not refused for it."""
    returned = result.format(place.repository)
    created = run(*creator, "create", place.master, returned)
    assert created.returncode == 0
    assert "warning" in created.stderr.lower()
    assert "is not in the manifest" in created.stderr
    assert backed_up(creator, place) == [place.master, str(place.repository / "Book.db")]


def test_class_create_through_a_link_uses_the_real_masters_lock_and_manifest(
    place: Place, creator: list[str], tmp_path: Path
) -> None:
    """No file is made beside the link."""
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "lib.db"
    link.symlink_to(place.master)
    new = str(place.repository / "Book.odb")
    assert run(*creator, "create", str(link), new, new).returncode == 0
    assert os.listdir(tmp_path / "links") == ["lib.db"]
    assert new in backed_up(creator, place)
    with open(f"{place.master}.lock") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        environment = {**os.environ, "CSF_BACKUP_LOCK_WAIT": "0"}
        refused = run(*creator, "create", str(link), "x", f"{new}2", env=environment)
    assert refused.returncode == 20
    assert not os.path.exists(f"{new}2")


def test_class_create_waits_for_a_restore_that_has_not_succeeded(
    site: Site, tmp_path: Path
) -> None:
    """A repeated restore would move its class away; the message names that restore's command."""
    back_up(site, "1")
    program = tmp_path / "failing" / "osrestore"
    program.parent.mkdir()
    real = shlex.quote(os.path.join(site.sim.home.bin, "osrestore"))
    program.write_text(FAILING.format(real=real))
    program.chmod(0o755)
    assert site.restore("-yes", CSF_BACKUP_OSRESTORE=str(program)).exit_code == 61
    refused = site.sim.csf("class_create", "-database", site.master, "-class", "Book")
    assert refused.exit_code == 13
    assert not os.path.exists(os.path.join(site.repository, "Book.db"))
    (line,) = [line for line in refused.stderr.splitlines() if "admin_database_restore" in line]
    assert [typed.exit_code for typed in type_in(site, f"{line} -yes")] == [0]
    assert site.create("Book") in back_up(site, "2")["databases"]


@pytest.mark.ways("local", "ssh")
def test_databases_that_are_links_are_reported(site: Site) -> None:
    """Backup and manifest report each link and its target."""
    link = os.path.join(site.repository, "Class1.db")
    os.rename(link, f"{site.repository}-Class1.db")
    os.symlink(f"{site.repository}-Class1.db", link)
    made = back_up(site, "1")
    assert any("these are links" in text and link in text for text in made["warnings"])
    assert shown(site)["links"] == [link]


@pytest.mark.ways("local", "ssh")
@pytest.mark.parametrize("link", ["ln -s", "ln -sr"])
def test_a_drill_does_not_take_a_link_for_a_restored_database(
    site: Site, tmp_path: Path, link: str
) -> None:
    """Otherwise the drill would examine the live database, and call that sound."""
    back_up(site, "1")
    program = tmp_path / "linking" / "osrestore"
    program.parent.mkdir()
    real = shlex.quote(os.path.join(site.sim.home.bin, "osrestore"))
    program.write_text(LINKING.format(real=real, link=link))
    program.chmod(0o755)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    live = contents(*site.databases())
    command = ("admin_database_drill", "-scratch-dir", str(scratch))
    drilled = site.on_image(*command, CSF_BACKUP_OSRESTORE=str(program))
    assert drilled.exit_code == 50, drilled.stderr
    assert "Class1.db is a symbolic link" in drilled.stderr
    assert contents(*live) == live
    assert list(scratch.iterdir()) == []
    record = json.loads(Path(f"{site.image}.drill.json").read_bytes())
    assert "Class1.db is a symbolic link" in record["findings"][0]


@pytest.mark.ways("local", "ssh")
@pytest.mark.parametrize(
    "way", over_ssh(["{0}/../{1}/master.db", "{0}-link/master.db"], "{0}-link/master.db")
)
def test_another_way_to_the_master_names_the_same_repository(site: Site, way: str) -> None:
    """The path is resolved once and printed, and only the resolved path is stored."""
    plain = site.master
    os.symlink(site.repository, f"{site.repository}-link")
    back_up(site, "1")
    named = way.format(site.repository, os.path.basename(site.repository))
    site.master, site.image = named, f"{site.images}/../{site.images.name}/2"
    done = site.backup()
    assert done.exit_code == 0, done.stderr
    assert f"{named} is {plain}" in done.stderr
    assert named not in Path(f"{plain}.manifest").read_text()
    facts = json.loads((site.images / "2.receipt.json").read_text())
    assert (facts["master"], facts["number"]) == (plain, 2)
    assert facts["image"] == str(site.images / "2")
    assert list(facts["databases"]) == sorted(site.databases())
    assert shown(site)["agrees"]
    latest = f"{site.host}:{site.images}/latest"
    for command in (
        ["admin_database_verify"],
        ["admin_database_drill", "-scratch-dir", str(site.images.parent)],
        ["admin_database_restore", "-yes"],
    ):
        words = ["-database", named, "-image-file", latest]
        ended = site.sim.run(["csf", *command, *words])
        assert ended.exit_code == 0, ended.stderr
    assert site.sim.csf("class_create", "-database", named, "-class", "Book").exit_code == 0
    site.master = plain
    assert f"{site.repository}/Book.db" in back_up(site, "3")["databases"]


@pytest.mark.ways("local", "ssh")
def test_an_image_inside_the_repository_is_refused_whatever_the_way(site: Site) -> None:
    """This holds for .. in the path and for a link to the directory."""
    os.symlink(site.repository, site.images / "link")
    for way in (f"{site.images}/link/a.img", f"{site.repository}/../repository1/a.img"):
        site.image = way
        assert site.backup().exit_code == 12
