"""Why a backup of a repository is refused, in words that help."""

from __future__ import annotations

import re
import shlex

import pytest

from csf_backup_plugin.errors import RepositoryIncomplete, WrongRepository
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.completeness import check_apart, check_complete
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")
TWO = Repository("/r/two.db")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1", "/r/notes.txt": b""}


def listing(*names: str, of: Repository = REPOSITORY) -> dict[str, bytes]:
    """Return a manifest that lists `names`."""
    return {of.manifest: manifest.encode(names)}


def test_a_whole_repository_is_not_refused() -> None:
    """Neither is another one in the same directory."""
    two = {"/r/two.db": b"", **listing("two.db", of=TWO)}
    check_complete(
        read_inventory(REPOSITORY, MemoryHost({**FILES, **two, **listing("lib.db", "Book.db")}))
    )


def test_the_image_that_tells_a_missing_database_is_named_as_it_can_be_shown() -> None:
    """Its name may have any bytes."""
    found = read_inventory(REPOSITORY, MemoryHost({**FILES, **listing("lib.db", "Gone.db")}))
    with pytest.raises(RepositoryIncomplete) as caught:
        check_complete(found, "db1:/b/i\udcff\x1b[2J.img")
    assert r"in the receipt of db1:/b/i\xff\x1b[2J.img and not on disk" in caught.value.what


@pytest.mark.parametrize("gone", ["Gone.db", "/else/Gone.db"])
def test_a_listed_database_that_is_not_there_makes_it_incomplete(gone: str) -> None:
    """No database is left out silently; one that was deleted on purpose must be dropped."""
    found = read_inventory(REPOSITORY, MemoryHost({**FILES, **listing("lib.db", gone)}))
    with pytest.raises(RepositoryIncomplete, match="Gone.db") as caught:
        check_complete(found)
    path = REPOSITORY.path_of(gone)
    assert f"-database /r/lib.db -host db1 -drop {path}" in caught.value.next_step
    assert caught.value.facts == {"databases": [path]}


def test_of_many_missing_ones_the_first_are_named() -> None:
    """They are too many to be dropped by name."""
    gone = [f"Gone{number:02}.db" for number in range(12)]
    found = read_inventory(REPOSITORY, MemoryHost({**FILES, **listing("lib.db", *gone)}))
    with pytest.raises(
        RepositoryIncomplete, match=r"12 of its .*Gone09.db and 2 more .-json lists"
    ) as caught:
        check_complete(found)
    assert "-host db1 -rebuild" in caught.value.next_step


def test_what_cannot_be_read_as_a_file_makes_it_incomplete() -> None:
    """Its disk may not be mounted."""
    host = MemoryHost({**FILES, "/r/Lost.db": b""})
    host.facts["/r/Lost.db"] = {"kind": "other"}
    with pytest.raises(RepositoryIncomplete, match="links to nothing.*: /r/Lost.db"):
        check_complete(read_inventory(REPOSITORY, host))


def test_a_name_the_import_file_cannot_hold_makes_it_incomplete() -> None:
    """The import file has one name on each line."""
    host = MemoryHost({**FILES, "/r/a\nb.db": b""})
    with pytest.raises(RepositoryIncomplete, match=r"control character.*: /r/a\\x0ab.db"):
        check_complete(read_inventory(REPOSITORY, host))


def test_another_repositorys_damaged_manifest_is_refused() -> None:
    """It is unknown whose the databases are."""
    host = MemoryHost({**FILES, "/r/two.db": b"", TWO.manifest: b"?"})
    with pytest.raises(WrongRepository, match=r"/r/two.db.manifest on db1 .*line 1 is damaged"):
        check_complete(read_inventory(REPOSITORY, host))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("lib.db", "Book.db", "two.db", "b.db"), ("lib.db", "Book.db", "two.db", "b.db")),
        (("lib.db", "Book.db"), ("Book.db", "two.db")),
        ((), ("lib.db", "Book.db", "two.db")),
        (("lib.db", "two.db"), ()),
    ],
)
@pytest.mark.parametrize("way", [0, 1])
def test_what_two_manifests_list_is_refused_until_it_is_dropped(
    ours: tuple[str, ...], theirs: tuple[str, ...], way: int
) -> None:
    """Each printed command makes them disjoint."""
    host = MemoryHost(
        {
            **dict.fromkeys(["/r/lib.db", "/r/two.db", "/r/Book.db", "/r/b.db"], b""),
            **listing(*theirs, of=TWO),
            **(listing(*ours) if ours else {}),
        }
    )
    with pytest.raises(
        WrongRepository, match=r"/r/two.db(, both list| lists) \d of the databases on db1: "
    ) as caught:
        check_complete(read_inventory(REPOSITORY, host))
    assert caught.value.exit_code == ExitCode.REPOSITORY_INCOMPLETE
    ways = re.split("\nOr ", caught.value.next_step)
    for line in ways[min(way, len(ways) - 1)].splitlines():
        if line.startswith("csf "):
            _drop(host, shlex.split(line))
    for one in (REPOSITORY, TWO):
        check_apart(read_inventory(one, host)._replace(ambiguous=()))


def _drop(host: MemoryHost, words: list[str]) -> None:
    """Do what the printed command does."""
    repository = Repository(words[words.index("-database") + 1])
    dropped = [words[at + 1] for at, word in enumerate(words) if word == "-drop"]
    assert dropped
    lines = manifest.dropped_lines(map(repository.recorded, dropped))
    host.append(repository.manifest, lines)


def test_what_may_be_either_repositorys_is_refused_until_it_is_added() -> None:
    """It may be added to either repository."""
    two = {"/r/two.db": b"", "/r/New.db": b"", **listing("two.db", of=TWO)}
    host = MemoryHost({**FILES, **two, **listing("lib.db", "Book.db")})
    with pytest.raises(
        WrongRepository, match="of their manifests lists 1 of .*: /r/New.db"
    ) as caught:
        check_complete(read_inventory(REPOSITORY, host))
    assert caught.value.next_step.splitlines()[1:] == [
        "csf admin_database_manifest -database /r/lib.db -host db1 -add /r/New.db",
        "csf admin_database_manifest -database /r/two.db -host db1 -add /r/New.db",
    ]
    found = read_inventory(REPOSITORY, host)
    without = [one for one in found.coverage.databases if one.path != REPOSITORY.master]
    gone = found._replace(coverage=found.coverage._replace(databases=tuple(without)))
    with pytest.raises(WrongRepository) as caught:
        check_complete(gone)
    assert "If they are those of /r/lib.db, which is not there" in caught.value.next_step
    host.append(TWO.manifest, encode_lines(["New.db"]))
    found = read_inventory(REPOSITORY, host)
    check_complete(found)
    assert found.coverage.paths == ["/r/lib.db", "/r/Book.db"]
