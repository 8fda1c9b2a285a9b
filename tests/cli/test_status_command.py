"""admin_database_status as csf runs it: text, JSON, Nagios, Prometheus, exit codes."""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.cli.runner import limited
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

ANY = ("-max-drill-age", "none")


@pytest.fixture
def status(csf: Csf, place: Place) -> Csf:
    """Return a function that runs the command on the place's image directory."""
    words = ("-image-dir", f"localhost:{place.images}")
    return lambda *options: csf("admin_database_status", *words, *options)


@pytest.fixture
def rotate(csf: Csf, place: Place) -> Csf:
    """Return a function that makes a set there."""
    words = ("-database", place.master, "-image-dir", f"localhost:{place.images}")
    return lambda *options: csf("admin_database_rotate", *words, *options)


def image_of(place: Place) -> Path:
    """Return the only image."""
    (receipt,) = place.images.glob("*/*.receipt.json")
    return Path(str(receipt).removesuffix(".receipt.json"))


def test_the_text_stands_on_standard_output(rotate: Csf, status: Csf, place: Place) -> None:
    """It has a block for each repository, with a line for each set."""
    assert rotate("-every", "24h")[0] == 0
    code, out, err = status(*ANY, "-database", f"localhost:{place.master}")
    assert (code, err) == (0, "")
    first, *lines = out.splitlines()
    assert first == f"OK {place.master} on localhost"
    assert "  There are 2 databases now; the newest set has 2." in lines
    assert lines[-2].split() == [
        "PLACE",
        "AGE",
        "SIZE",
        "DATABASES",
        "VERIFIED",
        "DRILLED",
        "IMAGE",
    ]
    assert lines[-1].endswith(f"  2          -         -        {image_of(place)}")
    assert any(line.startswith("  The next set is due by 2") for line in lines)
    assert not any("last attempt" in line for line in lines)


def test_what_is_wrong_stands_first(rotate: Csf, status: Csf, csf: Csf, place: Place) -> None:
    """The exit code is the worst one."""
    rotate()
    assert status()[0] == ExitCode.STALE
    image = image_of(place)
    image.write_bytes(b"x")
    assert csf("admin_database_verify", "-image-file", f"localhost:{image}")[0] == 50
    code, out, _ = status()
    assert code == ExitCode.FAULT_FOUND
    assert out.startswith(f"FAULT {place.master} on localhost\n  ! localhost:{image} holds 1 bytes")
    assert " FAILED 2" in out


def test_a_failed_attempt_is_reported(rotate: Csf, status: Csf, place: Place, tools: Any) -> None:
    """The text has the number of attempts since the last that made a set."""
    rotate()
    tools.write("osbackup", "echo no server >&2; exit 3")
    for _ in range(2):
        assert rotate()[0] == ExitCode.OSBACKUP_FAILED
    _, out, _ = status(*ANY)
    assert ": failed (40). osbackup failed on localhost" in out
    assert "\n  2 attempts since the last that made a set." in out
    page = samples(status(*ANY, "-format", "prometheus")[1])
    assert page["csf_backup_last_attempt_exit_code"] == 40.0
    assert page["csf_backup_last_success_timestamp_seconds"] <= time.time()
    assert place.master in out


def test_a_document_has_it_all(rotate: Csf, status: Csf, place: Place) -> None:
    """-json and -format json are the same."""
    rotate()
    documents = [json.loads(status(*ANY, *words)[1]) for words in (["-json"], ["-format", "json"])]
    for one in documents:
        (repository,) = one["repositories"]
        assert (one["exit_code"], repository["master"]) == (0, place.master)
        assert repository["sets"][0]["image"] == str(image_of(place))
        assert repository["last_attempt"]["outcome"] == "done"
    assert json.loads(status("-json")[1])["error"].startswith("Backups need attention:")


def test_nobody_home_is_told_to_everybody(csf: Csf, status: Csf) -> None:
    """The directory is empty, or the host is down."""
    code, out, _ = status()
    assert (code, out) == (ExitCode.STALE, "There is no proven image.\n")
    words = ("admin_database_status", "-image-dir", "nowhere.invalid:/b")
    code, out, _ = csf(*words)
    assert code == ExitCode.HOST_UNREACHABLE
    assert out.startswith("UNREACHED nowhere.invalid: Host nowhere.invalid cannot be reached: ")
    code, out, _ = csf(*words, "-format", "nagios")
    assert (code, out.startswith("BACKUP CRITICAL - Host nowhere.invalid ")) == (2, True)
    assert json.loads(csf(*words, "-json")[1])["unreached"][0]["host"] == "nowhere.invalid"
    assert samples(csf(*words, "-format", "prometheus")[1])["csf_backup_host_reached"] == 0.0


@pytest.mark.parametrize(
    ("options", "code", "begin"),
    [
        (ANY, 0, "BACKUP OK - {master}: "),
        ((), 1, "BACKUP WARNING - no image of {master} was ever restored by a drill | '"),
        (
            ("-max-drill-age", "none", "-max-age", "1s"),
            2,
            "BACKUP CRITICAL - the newest backup of ",
        ),
        (
            ("-database", "lib.db"),
            3,
            "BACKUP UNKNOWN - -database 'lib.db' does not begin with HOST",
        ),
        (("-max-age", "soon"), 3, "BACKUP UNKNOWN - Invalid value for '-max-age': soon is not a"),
    ],
)
def test_nagios_gets_one_line_and_its_own_codes(
    rotate: Csf, status: Csf, place: Place, options: tuple[str, ...], code: int, begin: str
) -> None:
    """The line has figures with their limits."""
    rotate()
    image = image_of(place)
    facts = json.loads(Path(f"{image}.receipt.json").read_bytes())
    while "1s" in options and time.time() < os.stat(image).st_mtime + 3:
        time.sleep(0.1)
    found, out, _ = status("-format", "nagios", *options)
    (line,) = out.splitlines()
    assert (found, line.startswith(begin.format(master=place.master))) == (code, True), line
    if code < 3:
        assert f"'{place.master} size'={facts['image_bytes']}B '{place.master} sets'=1" in line


def test_a_database_without_its_host_is_refused(status: Csf) -> None:
    """It is a usage error."""
    assert status("-database", "lib.db")[0] == ExitCode.USAGE


def test_nagios_is_told_of_nothing(status: Csf) -> None:
    """The state is critical."""
    assert status("-format", "nagios")[:2] == (2, "BACKUP CRITICAL - there is no proven image\n")


def test_nagios_is_told_of_a_repository_without_images(
    rotate: Csf, status: Csf, place: Place
) -> None:
    """It has no figures."""
    rotate()
    other = place.images.parent / "other.db"
    other.write_bytes(b"x")
    options = ("-format", "nagios", "-database", f"localhost:{other}")
    code, out, _ = status(*options, *ANY)
    assert (code, "has no proven image" in out, out.count("age'=")) == (2, True, 1)


def samples(page: str) -> dict[str, float]:
    """Return the samples of a page by name; of several, the last one."""
    families = text_string_to_metric_families(page)
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_prometheus_gets_a_page(rotate: Csf, status: Csf, place: Place) -> None:
    """The exit code is 0 once the page is written."""
    rotate("-every", "24h")
    code, out, _ = status("-format", "prometheus", "-database", f"localhost:{place.master}")
    page = samples(out)
    assert code == 0
    assert page["csf_backup_proven_images"] == 1.0
    assert page["csf_backup_expected_interval_seconds"] == 86400.0
    assert page["csf_backup_image_size_bytes"] == os.path.getsize(image_of(place))
    assert page["csf_backup_coverage_databases"] == 2.0
    assert 0 <= time.time() - page["csf_backup_recovery_point_timestamp_seconds"] < 100
    assert page["csf_backup_last_attempt_exit_code"] == 0.0
    assert "csf_backup_last_drill_timestamp_seconds" not in page


def test_a_page_is_written_to_a_file_whole(
    rotate: Csf, status: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody may read the file; if it cannot be written, the old one stays."""
    rotate()
    path = place.images.parent / "csf.prom"
    options = ("-format", "prometheus", "-output", str(path))
    assert status(*options) == (0, "", "")
    assert samples(path.read_text())["csf_backup_proven_images"] == 1.0
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    before = path.read_text()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("csf_backup_plugin.cli.text_file.os.fsync", full)
    assert status(*options)[0] == ExitCode.NO_SPACE
    monkeypatch.undo()
    assert path.read_text() == before
    assert [one.name for one in path.parent.glob(".csf-*")] == []


def test_output_that_cannot_be_printed_is_reported(
    rotate: Csf, status: Csf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is still that of the status."""
    rotate()
    monkeypatch.setattr("csf_backup_plugin.cli.report.printed", lambda _: "it is closed")
    code, _, err = status(*ANY)
    assert code == 0
    assert "warning: the outcome, exit code 0, could not be printed: it is closed" in err


def test_a_directory_that_cannot_be_read_is_no_good_news(
    rotate: Csf, csf: Csf, place: Place
) -> None:
    """Each form says so, since not everybody reads standard error."""
    rotate()
    missing = f"localhost:{place.images.parent}/missing"
    words = ("-image-dir", f"localhost:{place.images}", "-image-dir", missing, *ANY)
    code, out, err = csf("admin_database_status", *words)
    assert (code, err, out.startswith("OK ")) == (ExitCode.STALE, "", True)
    assert out.endswith(f"\n\nUNREAD {missing} cannot be read: No such file or directory\n")
    code, out, _ = csf("admin_database_status", *words, "-format", "nagios")
    assert (code, out.startswith(f"BACKUP WARNING - {missing} cannot be read: ")) == (1, True)
    page = samples(csf("admin_database_status", *words, "-format", "prometheus")[1])
    assert page["csf_backup_unread_directories"] == 1.0
    unread = json.loads(csf("admin_database_status", *words, "-json")[1])["unread"]
    assert unread == [f"{missing} cannot be read: No such file or directory"]


def test_a_document_is_written_to_a_file(rotate: Csf, status: Csf, place: Place) -> None:
    """The file has the requested format; -json prints the document, too."""
    rotate()
    path = place.images.parent / "status.json"
    words = ("-format", "json", "-output", str(path))
    assert status(*words) == (ExitCode.STALE, "", "")
    (line,) = path.read_text().splitlines()
    document = json.loads(line)
    assert (document["exit_code"], document["repositories"][0]["master"]) == (70, place.master)
    assert document["error"].startswith("Backups need attention:")
    assert json.loads(status(*words, "-json")[1])["exit_code"] == ExitCode.STALE


def test_quiet_is_for_people(rotate: Csf, status: Csf) -> None:
    """A monitoring system gets its line and its page in any case."""
    rotate()
    options = ("-max-drill-age", "none", "-quiet")
    assert status(*options) == (0, "", "")
    for form in ("nagios", "prometheus", "json"):
        assert status(*options, "-format", form)[1]
    assert status("-quiet")[1]


def test_nothing_but_a_plain_file_is_replaced(status: Csf, place: Place) -> None:
    """For root, /dev/null would become a file; for a link, its target is written."""
    top = place.images.parent
    pipe, link, directory = top / "pipe", top / "link", top / "directory"
    os.mkfifo(pipe)
    directory.mkdir()
    for path in (pipe, directory):
        code, _, err = status("-output", str(path))
        assert code == ExitCode.UNEXPECTED
        assert err.startswith(f"Error: Not a plain file: {path} on localhost.")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link.symlink_to(directory / "csf.prom")
    assert status("-format", "prometheus", "-output", str(link))[0] == 0
    assert link.is_symlink()
    assert (directory / "csf.prom").read_text().startswith("# HELP csf_backup_")
    missing = top / "missing" / "csf.prom"
    why = f"No such file or directory: {missing}"
    assert f"{why} on " in status("-output", str(missing))[2]
    told = status("-output", str(missing), "-format", "nagios")
    assert told[:2] == (3, f"BACKUP UNKNOWN - the status cannot be written: {why}\n")


def test_names_in_a_document_are_reported_once(rotate: Csf, csf: Csf, place: Place) -> None:
    """A text that is a sentence already is not escaped again."""
    odd = place.images / "a\udcff"
    odd.mkdir()
    words = ("-database", place.master, "-image-dir", f"localhost:{odd}")
    assert csf("admin_database_rotate", *words)[0] == 0
    (image,) = odd.glob("*/*.img")
    image.write_bytes(b"x")
    one = json.loads(csf("admin_database_status", *words[2:], "-json")[1])["repositories"][0]
    assert "/a\\xff/" in one["faults"][0]
    assert "/a\\xff/" in one["sets"][0]["image"]


def test_a_host_that_does_not_answer_in_time_is_given_up() -> None:
    """A signal would end it in the same way; other signals still work."""
    late = pytest.raises(HostUnreachable, match="db1 has not answered within 0.01 s")
    with late, limited(Cancellation(), "db1", 0.01) as within:
        while not within.received:
            time.sleep(0.001)
        within.check()
    cancellation = Cancellation()
    with pytest.raises(Interrupted) as caught, limited(cancellation, "db1", 60) as within:
        cancellation.cancel(signal.SIGTERM)
        within.check()
    assert caught.value.exit_code == 128 + signal.SIGTERM


def test_a_signal_that_has_come_before_ends_it() -> None:
    """It may come between two hosts, or while one is given up."""
    cancellation = Cancellation()
    cancellation.cancel(signal.SIGTERM)
    with pytest.raises(Interrupted), limited(cancellation, "db1", 60):
        pass


def test_a_limit_may_be_longer_than_a_timer_can_wait() -> None:
    """It has no effect then."""
    with limited(Cancellation(), "db1", 1e300) as within:
        assert not within.received
