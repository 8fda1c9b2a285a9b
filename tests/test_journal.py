"""Keeping the manifest: what is found or created is recorded, and nothing else."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin import journal, manifest
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.survey import survey
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")
FILES = {"/r/lib.db": b"", "/r/Book.db": b""}


def listed(host: MemoryHost) -> tuple[str, ...]:
    """Return what the manifest lists."""
    return manifest.decode(host.files[REPOSITORY.manifest]).names


def test_a_first_backup_makes_the_manifest_from_the_directory() -> None:
    """The master database comes first."""
    host = MemoryHost(FILES)
    assert journal.record(survey(REPOSITORY, host), host) == []
    assert listed(host) == ("lib.db", "Book.db")


def test_a_database_found_on_disk_is_added() -> None:
    """What was recorded before stays as it was, byte for byte."""
    before = manifest.encode(["lib.db"])
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    journal.record(survey(REPOSITORY, host), host)
    assert host.files[REPOSITORY.manifest].startswith(before)
    assert listed(host) == ("lib.db", "Book.db")


def test_a_manifest_that_lists_everything_is_not_touched() -> None:
    """Nor its torn last line, which means nothing."""
    before = manifest.encode(["lib.db", "Book.db"]) + b"torn"
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    journal.record(survey(REPOSITORY, host), host)
    assert host.files[REPOSITORY.manifest] == before


def test_a_manifest_that_cannot_be_written_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proven backup is not thrown away for it."""

    def refuse(path: str, *_: object, like: str) -> None:
        raise OSError(errno.EROFS, "Read-only file system", path)

    host = MemoryHost(FILES)
    monkeypatch.setattr(host, "publish", refuse)
    (warning,) = journal.record(survey(REPOSITORY, host), host)
    assert warning == "the manifest /r/lib.db.manifest was not updated: Read-only file system"


def test_a_new_database_is_one_append() -> None:
    """By name, if it lies in the repository's directory."""
    before = manifest.encode(["lib.db"])
    host = MemoryHost({**FILES, REPOSITORY.manifest: before})
    journal.append(REPOSITORY, "/r/New.db", host)
    assert host.files[REPOSITORY.manifest] == before + manifest.encode_lines(["New.db"])


def test_a_new_database_reached_by_a_link_is_recorded_by_name_too() -> None:
    """Or the next backup would hold it twice."""
    host = MemoryHost({**FILES, REPOSITORY.manifest: manifest.encode(["lib.db"])}, ["/link"])
    host.facts["/link"] = {"resolved": "/r"}
    journal.append(REPOSITORY, "/link/New.db", host)
    assert listed(host) == ("lib.db", "New.db")


def test_a_new_database_elsewhere_is_recorded_by_its_path() -> None:
    """It is part of the repository all the same."""
    host = MemoryHost({**FILES, REPOSITORY.manifest: manifest.encode(["lib.db"])}, ["/else"])
    journal.append(REPOSITORY, "/else/New.db", host)
    assert listed(host) == ("lib.db", "/else/New.db")


def test_without_a_manifest_the_first_new_database_makes_it() -> None:
    """From the directory, with the new one among them once."""
    host = MemoryHost(FILES)
    journal.append(REPOSITORY, "/r/Book.db", host)
    assert listed(host) == ("lib.db", "Book.db")


@pytest.mark.parametrize("path", ["Book.db", "host:/r/Book.db", "/r/a\nb.db"])
def test_what_cannot_name_a_database_in_a_backup_is_not_recorded(path: str) -> None:
    """The caller is told why."""
    host = MemoryHost(FILES)
    with pytest.raises(ValueError, match="is not an absolute path|control character"):
        journal.append(REPOSITORY, path, host)
    assert host.files == FILES
