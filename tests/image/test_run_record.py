"""What the record of an osbackup run says."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.run_record import RunRecord, is_at_work, problem_if_ended, read_record
from doubles import MemoryHost

IMAGE = ImagePath("db1", "/b/a.img")
BOOT = "/proc/sys/kernel/random/boot_id"
RECORD = {
    "/b/a.img.run/status": b"0      \n",
    "/b/a.img.run/started": b"2026-11-23T02:10:00+00:00\n",
    "/b/a.img.run/pid": b"4711 boot-1      \n",
    "/b/a.img.run/output": b"Closing volume #1.\n" + b"\0" * 100,
    BOOT: b"boot-1\n",
}
STARTED = "2026-11-23T02:10:00+00:00"


def record(**files: bytes | OSError) -> RunRecord:
    """Read a record in which some files differ from the usual."""
    host = MemoryHost(RECORD)
    for name, contents in files.items():
        path = f"/b/a.img.run/{name}"
        if isinstance(contents, OSError):
            host.unreadable[path] = contents
        else:
            host.files[path] = contents
    return read_record(IMAGE, host)


def test_a_status_of_0_is_success() -> None:
    """Padding in the file is ignored."""
    assert record() == RunRecord(started=STARTED)
    assert record(started=b"") == RunRecord()


def test_success_before_the_machine_was_rebooted_is_not_known_to_be_on_the_disk() -> None:
    """The image was not fsynced; if the boot is unknown, success counts."""
    found = record(pid=b"4711 boot-0 4712")
    assert "whether the whole image had reached the disk by then is not known" in found.problem
    assert record(pid=b"").problem == ""
    host = MemoryHost(RECORD)
    del host.files[BOOT]
    assert read_record(IMAGE, host).problem == ""


def test_what_is_not_yet_ended_may_be_running() -> None:
    """Its process group is named, with its start time if that is known."""
    at_work = record(status=b"running\n")
    assert at_work.running == f"osbackup (process group 4711, started {STARTED})"
    assert (at_work.problem, at_work.leaders) == ("", ("4711",))
    assert record(status=b"running", started=b"?").running == "osbackup (process group 4711)"
    assert problem_if_ended(at_work, IMAGE).startswith(
        "osbackup ended without recording its exit status"
    )


@pytest.mark.parametrize(
    ("status", "problem"),
    [
        (b"unrun\n", "osbackup could not be executed"),
        (b"139\n", "osbackup failed: signal 11, and printed:\n    Closing volume #1."),
        (b"3\n", "osbackup failed: exit 3, and printed:\n    Closing volume #1."),
        (b"", "osbackup ended without recording its exit status in /b/a.img.run"),
        (b"00000000", "osbackup ended without recording its exit status in /b/a.img.run"),
        ("²".encode(), "osbackup ended without recording its exit status in /b/a.img.run"),
        (b"9" * 5000, "osbackup ended without recording its exit status in /b/a.img.run"),
        (
            OSError(errno.EIO, "Input/output error"),
            "how osbackup ended is not known: /b/a.img.run/status: Input/output error",
        ),
    ],
)
def test_everything_else_is_no_success(status: bytes | OSError, problem: str) -> None:
    """An unknown end is neither success nor failure."""
    found = record(status=status)
    assert (found.problem, found.running) == (problem, "")
    assert problem_if_ended(found, IMAGE) == problem


def test_output_that_cannot_be_read_does_not_matter() -> None:
    """The end is known without it."""
    assert record(output=OSError(errno.EIO, "Input/output error")).problem == ""
    failed = record(status=b"1", output=OSError(errno.EIO, "Input/output error"))
    assert failed.problem == "osbackup failed: exit 1, and printed nothing."


def test_a_machine_that_was_rebooted_has_ended_it() -> None:
    """If the boot is unknown, the end is unknown, too."""
    found = record(status=b"running", pid=b"4711 boot-0")
    assert "rebooted meanwhile" in found.problem
    assert not found.running
    host = MemoryHost(RECORD)
    host.files["/b/a.img.run/status"] = b"running"
    del host.files[BOOT]
    assert read_record(IMAGE, host).running


def test_a_record_that_is_no_directory_of_ours_tells_nothing() -> None:
    """It may be missing, a file, or reached through a link."""
    host = MemoryHost({"/b/a.img.run": b""})
    assert "is not a directory" in read_record(IMAGE, host).problem
    del host.files["/b/a.img.run"]
    assert "there is no /b/a.img.run" in read_record(IMAGE, host).problem
    host = MemoryHost(RECORD)
    host.facts["/b/a.img.run"] = {"link": True}
    assert "is not a directory" in read_record(IMAGE, host).problem


def test_the_leaders_of_the_sessions_are_looked_for() -> None:
    """Without a leader nothing runs; the guardian runs longer than osbackup."""
    found = record(status=b"running", pid=b"4711 boot-1 4712  ")
    assert found.leaders == ("4711", "4712")
    host = MemoryHost({"/proc/4711/stat": b"4711 (a) b) R 1 4711 4711 0 -1"})
    assert is_at_work(RunRecord(leaders=("4711",)), host)
    assert is_at_work(RunRecord(leaders=("4712", "4711")), host)
    assert not is_at_work(RunRecord(leaders=("4712",)), host)
    assert not is_at_work(RunRecord(), host)


def test_an_osbackup_before_which_the_servers_could_not_be_stopped_was_not_run() -> None:
    """The record of the guardian says so."""
    found = record(status=b"unquiet\n")
    assert found.problem == "osbackup was not run: the repository was not quiet"
