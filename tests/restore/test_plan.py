"""What a restore would do, and what keeps it from beginning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin import manifest, receipt
from csf_backup_plugin.errors import (
    BackupError,
    NoSpace,
    RepositoryIncomplete,
    RepositoryNotFound,
)
from csf_backup_plugin.hosts.protocol import Completed, Entry
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.proven import Proven
from csf_backup_plugin.restore.check import check_place
from csf_backup_plugin.restore.extra import refused
from csf_backup_plugin.restore.plan import RestorePlan, prepare_restore
from csf_backup_plugin.restore.quarantine import Quarantine
from csf_backup_plugin.restore.request import RestoreRequest
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from collections.abc import Mapping

MASTER = "/d/r/lib.db"
IMAGE = "/b/a.img"


def image(sizes: Mapping[str, int | None], master: str = MASTER) -> Proven:
    """Return an image that holds databases."""
    names = "".join(f"{path}\n" for path in sizes).encode()
    return Proven(
        master, sizes, 5, None, receipt.sha256(names), "2026-01-01", ImagePath("db1", IMAGE)
    )


def site(proven: Proven, *on_disk: str, listed: bytes | None = None) -> MemoryHost:
    """Return a host with an image and with some databases of three bytes."""
    names = "".join(f"{path}\n" for path in proven.databases).encode()
    files = {IMAGE: b"image", f"{IMAGE}.dbn": names, **dict.fromkeys(on_disk, b"old")}
    if listed is not None:
        files[f"{MASTER}.manifest"] = listed
    host = MemoryHost(files, ["/d", "/d/r"])
    host.listing = Completed(0, names)
    return host


def plan(proven: Proven, host: MemoryHost, **options: Any) -> RestorePlan:
    """Plan a restore."""
    request = RestoreRequest.parse(options.pop("master", MASTER), f"db1:{IMAGE}", **options)
    return prepare_restore(request, proven, host, Memory())


def test_databases_are_overwritten_appear_or_are_extra() -> None:
    """The master database first, others by path; a suffix of another kind is no database."""
    proven = image({"/d/r/a.db": 3, "/d/r/b.db": None, MASTER: 3})
    found = plan(proven, site(proven, MASTER, "/d/r/b.db", "/d/r/new.db", "/d/r/notes.txt"))
    assert list(found.targets) == [MASTER, "/d/r/a.db", "/d/r/b.db"]
    assert found.overwritten == (MASTER, "/d/r/b.db")
    assert found.appearing == ("/d/r/a.db",)
    assert (found.extra, found.elsewhere) == (("/d/r/new.db",), ())
    assert (found.bytes, found.pairs, found.timeout) == (6, (), 600)


def test_a_new_disk_has_nothing_to_overwrite() -> None:
    """An empty directory is enough."""
    proven = image({MASTER: 3})
    found = plan(proven, site(proven))
    assert (found.overwritten, found.appearing, found.extra) == ((), (MASTER,), ())


def test_an_extra_database_outside_the_directory_stays() -> None:
    """Nothing could take it for a part of what was restored."""
    proven = image({MASTER: 3})
    listed = manifest.encode(["lib.db", "/far/x.db", "/far/gone.db"])
    found = plan(proven, site(proven, MASTER, "/far/x.db", listed=listed))
    assert (found.extra, found.elsewhere) == ((), ("/far/x.db",))
    assert found.damaged_manifest is None


def test_a_damaged_manifest_is_no_reason_not_to_restore() -> None:
    """What is whole of it counts; it will be kept."""
    proven = image({MASTER: 3})
    damaged = manifest.encode(["/far/x.db"]) + b"damage\n"
    found = plan(proven, site(proven, MASTER, "/far/x.db", listed=damaged))
    assert found.elsewhere == ("/far/x.db",)
    assert found.damaged_manifest == damaged


def test_into_another_directory_goes_what_was_in_the_first() -> None:
    """By one pair of directories."""
    proven = image({"/q/lib.db": 3, "/q/a.db": 3}, "/q/lib.db")
    found = plan(proven, site(proven, "/d/r/a.db"), into="/d/r")
    assert list(found.targets) == [MASTER, "/d/r/a.db"]
    assert found.pairs == (("/q", "/d/r"),)
    assert found.overwritten == ("/d/r/a.db",)


def test_what_is_no_file_is_in_the_way() -> None:
    """osrestore might notice half way."""
    proven = image({MASTER: 3, "/d/r/a.db": 3})
    host = site(proven)
    host.directories.add("/d/r/a.db")
    with pytest.raises(RepositoryIncomplete, match="no file stands where .*: /d/r/a.db"):
        plan(proven, host)


def test_room_is_needed_for_what_grows_on_each_file_system() -> None:
    """What is on disk already needs none, however full the disk is."""
    proven = image({MASTER: 3, "/d/r/a.db": 10**9, "/far/x.db": 3})
    host = site(proven, MASTER, "/far/x.db")
    host.facts["/far"] = {"device": 2, "free": 0}
    with pytest.raises(NoSpace, match=r"db1:/d/r has 1,000,000,000 bytes free; .*may need"):
        plan(proven, host)
    host.facts["/d/r"] = {"free": 2 * 10**9}
    assert plan(proven, host).appearing == ("/d/r/a.db",)


def test_a_missing_directory_is_told_with_the_command_that_makes_it() -> None:
    """It is never made here: a disk that is not mounted looks the same."""
    proven = image({MASTER: 3, "/far/x.db": 3})
    with pytest.raises(RepositoryNotFound, match="no directory /far on db1"):
        plan(proven, site(proven))
    request = RestoreRequest.parse("/none/lib.db", f"db1:{IMAGE}")
    with pytest.raises(RepositoryNotFound, match="no directory /none on db1") as caught:
        check_place(request, site(proven))
    assert caught.value.next_step.endswith("mkdir -p /none")


def test_a_master_that_is_a_link_elsewhere_is_refused() -> None:
    """The other databases stand beside what it leads to; one that is missing is none."""
    host = site(image({MASTER: 3}), MASTER)
    request = RestoreRequest.parse(MASTER, f"db1:{IMAGE}")
    check_place(request, host)
    host.facts[MASTER] = {"resolved": "/far/lib.db"}
    with pytest.raises(RepositoryNotFound, match="is a link to /far/lib.db"):
        check_place(request, host)
    check_place(RestoreRequest.parse("/d/r/zoo.db", f"db1:{IMAGE}"), host)


def test_the_refusal_names_every_extra_and_both_ways_on() -> None:
    """Each of them a command to type; with -quarantine there is none."""
    proven = image({MASTER: 3})
    request = RestoreRequest.parse(MASTER, f"db1:{IMAGE}")
    found = plan(proven, site(proven, "/d/r/it's.db", "/d/r/b.db"))
    place = Quarantine("/d/r.quarantine-1", ())
    refusal = refused(request, found, place)
    assert refusal is not None
    assert "/d/r/b.db, /d/r/it's.db" in refusal.what
    assert f"\n{request.command('-quarantine')}\n" in refusal.next_step
    assert refusal.next_step.endswith(
        "\nmkdir /d/r.quarantine-1 && mv -n -- /d/r/b.db '/d/r/it'\"'\"'s.db' /d/r.quarantine-1/"
    )
    assert refusal.facts == {"extra": ["/d/r/b.db", "/d/r/it's.db"]}
    assert refused(replace(request, quarantine=True), found, place) is None


def test_another_repositorys_master_is_never_moved() -> None:
    """-quarantine does not mean that, and nobody is told to do it."""
    proven = image({MASTER: 3})
    host = site(proven, "/d/r/zoo.db", "/d/r/b.db")
    host.files["/d/r/zoo.db.manifest"] = b""
    request = RestoreRequest.parse(MASTER, f"db1:{IMAGE}", quarantine=True)
    refusal = refused(request, plan(proven, host), Quarantine("/d/r.quarantine-1", ()))
    assert refusal is not None
    assert refusal.what.endswith("since it has a manifest: /d/r/zoo.db.")
    assert "-quarantine" not in refusal.next_step


def test_what_the_manifest_lists_and_is_gone_is_told() -> None:
    """It will not list it any more."""
    proven = image({MASTER: 3})
    listed = manifest.encode(["lib.db", "/far/gone.db"])
    (_unsealed, gone) = plan(proven, site(proven, MASTER, listed=listed)).warnings
    assert gone == "/far/gone.db is in the manifest and not there; it will be in it no more"


def test_what_a_receipt_leaves_unproven_is_told_before_anything_is_done() -> None:
    """An image without a checksum may be another one."""
    proven = image({MASTER: 3})._replace(image=ImagePath("db1", "/b/other.img"))
    first, second = plan(proven, site(proven)).warnings
    assert "has no SHA-256" in first
    assert "was made for db1:/b/other.img" in second


def test_a_directory_that_cannot_be_written_to_is_told_first() -> None:
    """osrestore would find out half way."""
    proven = image({MASTER: 3})
    host = site(proven, MASTER)
    host.facts["/d/r"] = {"writable": False}
    with pytest.raises(BackupError, match="/d/r on db1 is not writable"):
        plan(proven, host)


def test_a_parent_that_may_not_be_looked_into_has_no_quarantine_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no reason not to restore."""
    proven = image({MASTER: 3})
    host = site(proven, MASTER)
    list_directory = host.list_directory

    def refuse(path: str) -> list[Entry]:
        if path == "/d":
            raise PermissionError(13, "Permission denied", path)
        return list_directory(path)

    monkeypatch.setattr(host, "list_directory", refuse)
    assert plan(proven, host).overwritten == (MASTER,)
