"""What a failed run has created is removed, and the message says what was left."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest
from receipts import made, receipt_of

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, HostUnreachable, OsbackupFailed
from csf_backup_plugin.operations.backup.rollback import rollback
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Iterable

FILES = {"/b/a.img": b"", "/b/a.img.dbn": b"", "/b/old": b""}
CREATED = ("/b/a.img.dbn", "/b/a.img")


def fail(host: MemoryHost, failure: Exception, *paths: str) -> Exception:
    """Let a block that has created `paths` fail; return the error."""
    with pytest.raises(type(failure)) as caught, rollback(host) as created:
        created += paths
        raise failure
    return caught.value


def test_what_a_successful_block_created_is_kept() -> None:
    """Success undoes nothing."""
    host = MemoryHost(FILES)
    with rollback(host) as created:
        created.append("/b/a.img")
    assert host.files == FILES


def test_what_a_failed_block_created_is_removed_and_nothing_else() -> None:
    """A path that was never created causes no error."""
    host = MemoryHost(FILES)
    error = fail(host, OsbackupFailed("It failed.", "Look."), *CREATED, "/b/never")
    assert host.files == {"/b/old": b""}
    assert "was removed; nothing else was changed" in str(error)


def test_a_block_that_created_nothing_says_so() -> None:
    """The message says that nothing was created or changed."""
    with pytest.raises(BackupError) as caught, rollback(MemoryHost(FILES)):
        raise OsbackupFailed("It failed.", "Look.")
    assert caught.value.left == NOTHING_LEFT


@pytest.mark.parametrize("paths", [(), CREATED])
def test_what_remains_is_said_besides(paths: tuple[str, ...]) -> None:
    """It is said whether or not something was removed, and only after a failure."""
    host = MemoryHost(FILES)
    with pytest.raises(BackupError) as caught, rollback(host) as created:
        created += paths
        created.remains = "The number 7 is used up."
        raise OsbackupFailed("It failed.", "Look.")
    removed = "What this run had created was removed."
    assert caught.value.left == f"{removed if paths else NOTHING_LEFT} The number 7 is used up."
    with rollback(host) as created:
        created.remains = "The number 8 is used up."


def test_what_the_error_says_itself_is_kept_where_nothing_was_created() -> None:
    """The error's own words about what was left are more precise."""
    error = OsbackupFailed("It failed.", "Look.")
    error.left = "It is as it was."
    with pytest.raises(BackupError) as caught, rollback(MemoryHost(FILES)):
        raise error
    assert caught.value.left == "It is as it was."


def test_a_fault_of_ours_goes_through_as_it_is_and_the_files_go_all_the_same() -> None:
    """A bug shows its traceback, but leaves no image behind."""
    host = MemoryHost(FILES)
    assert isinstance(fail(host, ZeroDivisionError(), *CREATED), ZeroDivisionError)
    assert host.files == {"/b/old": b""}


def test_what_cannot_be_removed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other files are removed nevertheless."""
    host = MemoryHost(FILES)
    remove = host.remove

    def refuse(paths: Iterable[str]) -> None:
        for path in paths:
            if path == "/b/a.img":
                raise PermissionError(errno.EPERM, "Not allowed", path)
            remove([path])

    monkeypatch.setattr(host, "remove", refuse)
    error = fail(host, OsbackupFailed("It failed.", "Look."), *CREATED)
    assert isinstance(error, BackupError)
    assert error.left.endswith("could not all be removed: /b/a.img (Not allowed).")
    assert sorted(host.files) == ["/b/a.img", "/b/old"]


def test_what_a_host_that_is_gone_may_still_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message also says why they could not be removed."""
    host = MemoryHost(FILES)

    def refuse(_paths: list[str]) -> None:
        raise HostUnreachable("Host db1 cannot be reached.", "Look.")

    monkeypatch.setattr(host, "remove", refuse)
    error = fail(host, OsbackupFailed("It failed.", "Look."), "/b/a.img")
    assert isinstance(error, BackupError)
    assert error.left == (
        "What this run had created may still be there: /b/a.img. Host db1 cannot be reached."
    )


def test_what_another_command_has_proven_meanwhile_is_kept() -> None:
    """This run may have been cut off from its host; a backup is never destroyed."""
    receipt = {"/b/a.img.receipt.json": receipt_of(made("/b/a.img", 7))}
    host = MemoryHost({**FILES, **receipt, "/b/a.img.run/status": b"0"})
    before = dict(host.files)
    with pytest.raises(BackupError) as caught, rollback(host) as created:
        created += CREATED
        created.record, created.receipt = "/b/a.img.run", "/b/a.img.receipt.json"
        raise OsbackupFailed("It failed.", "Look.")
    assert caught.value.left == (
        "Another command has written /b/a.img.receipt.json meanwhile: all is kept."
    )
    assert host.files == before
    with pytest.raises(BackupError), rollback(host) as created:
        created += [*CREATED, "/b/a.img.receipt.json"]
        created.receipt = "/b/a.img.receipt.json"
        raise OsbackupFailed("It failed.", "Look.")
    assert "/b/a.img" not in host.files


def test_a_receipt_that_proves_nothing_keeps_nothing() -> None:
    """It may be damaged or unreadable; it is not removed either, since another run made it."""
    host = MemoryHost({**FILES, "/b/a.img.receipt.json": b"{}"})
    host.unreadable["/b/b.img.receipt.json"] = OSError(errno.EIO, "Input/output error")
    for name in ("/b/a.img.receipt.json", "/b/b.img.receipt.json", "/b/none"):
        host.files |= FILES
        with pytest.raises(BackupError), rollback(host) as created:
            created += CREATED
            created.receipt = name
            raise OsbackupFailed("It failed.", "Look.")
        assert {*host.files} == {"/b/old", "/b/a.img.receipt.json"}


def test_what_may_be_left_on_a_lost_host_names_what_to_do() -> None:
    """This is said in addition to the error's own next step."""

    class Lost(MemoryHost):
        def remove(self, paths: Iterable[str]) -> None:
            raise HostUnreachable("db1 is gone.", "Look.")

    with pytest.raises(HostUnreachable) as caught, rollback(Lost(FILES)) as created:
        created += CREATED
        created.if_lost = "Prove it."
        raise HostUnreachable("db1 is gone.", "Look.")
    assert caught.value.next_step == "Look.\nProve it."


@pytest.mark.parametrize("appended", [b"", b"Book.db\n", None])
def test_a_manifest_that_has_more_than_this_run_wrote_is_kept(appended: bytes | None) -> None:
    """A class may have been created in the meantime, or the contents are unknown."""
    host = MemoryHost({**FILES, "/r/lib.db.manifest": b"lib.db\n" + (appended or b"")})
    if appended is None:
        host.unreadable["/r/lib.db.manifest"] = OSError(errno.EIO, "Input/output error")
    with pytest.raises(BackupError) as caught, rollback(host) as created:
        created += [*CREATED, "/r/lib.db.manifest"]
        created.manifest, created.manifest_data = "/r/lib.db.manifest", b"lib.db\n"
        created.if_appended = "The number 1 is used up."
        raise OsbackupFailed("It failed.", "Look.")
    kept = appended != b""
    assert {*host.files} == {"/b/old", *["/r/lib.db.manifest"] * kept}
    rest = ". The number 1 is used up." if kept else "; nothing else was changed."
    assert caught.value.left == f"What this run had created was removed{rest}"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_receipt_that_may_not_be_read_keeps_all(number: int) -> None:
    """Another user may have proven the image."""
    host = MemoryHost({**FILES, "/b/a.img.receipt.json": b""})
    host.unreadable["/b/a.img.receipt.json"] = OSError(number, "Not allowed")
    before = dict(host.files)
    with pytest.raises(BackupError) as caught, rollback(host) as created:
        created += CREATED
        created.receipt = "/b/a.img.receipt.json"
        raise OsbackupFailed("It failed.", "Look.")
    assert host.files == before
    assert caught.value.left.endswith(": all is kept.")
