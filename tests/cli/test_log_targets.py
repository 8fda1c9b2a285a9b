"""The log: whole lines in a file or on standard error, without secrets, never a failure."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

import click
import pytest

from csf_backup_plugin import plugin
from csf_backup_plugin.cli.log_targets import logged
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.log import log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d \d+ (INFO|WARNING|ERROR) [^\x00-\x1f]+"
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that the log goes to."""
    file = tmp_path / "csf.log"
    monkeypatch.setenv("CSF_BACKUP_LOG", str(file))
    return file


def backup(place: Place, *options: str) -> tuple[str, ...]:
    """Return the command line that backs `place` up."""
    image = f"localhost:{place.image}"
    return ("admin_database_backup", "-database", place.master, "-image-file", image, *options)


def lines(path: Path) -> list[str]:
    """Return the lines of a log; check that each is complete."""
    found = path.read_text().splitlines()
    assert all(LINE.fullmatch(line) for line in found), found
    return found


def test_a_log_tells_what_was_run_written_and_decided(csf: Csf, place: Place, path: Path) -> None:
    """It has command line, directory, exit status and duration of each program."""
    assert csf(*backup(place))[0] == 0
    text = "\n".join(lines(path))
    run = rf"run on localhost in \S+: \S+/osbackup -a -I {place.image}\.dbn -f {place.image}\n"
    ended = r"ended with status 0 on localhost after \d\.\d{3} s: \S+/osrestore -t -f "
    for words in (
        rf"begins: csf admin_database_backup -database {place.master} -image-file localhost:",
        rf"lock {place.master}\.lock on localhost: \d\.\d{{3}} s\n",
        rf"databases of {place.master}: 2: ",
        r"told|a new id; its last backup has the number 0\n",
        rf"create {place.image}\.dbn on localhost: done",
        rf"publish {place.image}\.receipt\.json on localhost: done",
        rf"unlock {place.master}\.lock",
        *(run, ended, r"WARNING image and databases share|INFO Backed up 2 databases"),
        r"ended with exit code 0 after \d+\.\d{3} s$",
    ):
        assert re.search(words, text), (words, text)
    assert path.stat().st_mode & 0o777 == 0o600


def test_each_run_appends_and_opens_the_file_anew(csf: Csf, place: Place, path: Path) -> None:
    """logrotate may move it between two runs; the administrator decides its mode."""
    path.touch(0o640)
    path.chmod(0o640)
    assert csf(*backup(place, "-dry-run"))[0] == 0
    count = len(lines(path))
    assert csf(*backup(place, "-dry-run"))[0] == 0
    assert len(lines(path)) == 2 * count
    path.rename(f"{path}.1")
    assert csf(*backup(place, "-dry-run"))[0] == 0
    assert len(lines(path)) == count
    assert os.stat(f"{path}.1").st_mode & 0o777 == 0o640


def test_a_failure_is_in_the_log_as_well(csf: Csf, place: Place, tools: Tools, path: Path) -> None:
    """It has the program's exit status, and what was removed."""
    tools.write("osbackup", "echo bad luck; exit 7")
    assert csf(*backup(place))[0] == ExitCode.OSBACKUP_FAILED
    text = "\n".join(lines(path))
    assert "ended with status 7 on localhost after " in text
    assert "ERROR     bad luck" in text
    assert f"INFO remove {place.master}.manifest, {place.image}" in text
    assert "ERROR What this run had created was removed" in text
    assert text.endswith(" s")
    assert "ended with exit code 40" in text


def test_the_traceback_of_a_fault_of_ours_is_in_the_log_only(
    csf: Csf, place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line of it is a line of the log."""

    def look(*_: object) -> NoReturn:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr(LocalHost, "look", look)
    code, _, err = csf(*backup(place))
    assert (code, "Traceback" in err, "CSF_BACKUP_LOG" in err) == (1, False, True)
    text = "\n".join(lines(path))
    assert "ERROR Traceback (most recent call last):" in text
    assert "ERROR     raise ZeroDivisionError(" in text


def test_names_of_whatever_bytes_stay_in_one_line(csf: Csf, place: Place, path: Path) -> None:
    """Control characters do not reach a terminal."""
    odd = os.fsdecode(b"a\nb\x1b[2J\xff.db")
    (place.repository / odd).write_bytes(b"x")
    assert csf(*backup(place))[0] == ExitCode.REPOSITORY_INCOMPLETE
    assert "a\\x0ab\\x1b[2J\\xff.db" in "\n".join(lines(path))


@pytest.mark.parametrize("kind", ["directory", "link", "fifo", "nowhere"])
def test_a_log_that_cannot_be_opened_is_a_warning(
    csf: Csf, place: Place, path: Path, kind: str
) -> None:
    """It is never a failure; links are refused, and nothing waits for a pipe."""
    words = {"link": "Is a symbolic link", "nowhere": "No such file or directory"}
    target = path.parent / "target"
    if kind == "nowhere":
        os.environ["CSF_BACKUP_LOG"] = f"{path}/csf.log"
        words = {"nowhere": "Not a directory"}
        path.touch()
    else:
        {"directory": path.mkdir, "link": lambda: path.symlink_to(target)}.get(
            kind, lambda: os.mkfifo(path)
        )()
    code, out, err = csf(*backup(place, "-json"))
    assert (code, bool(out)) == (0, True)
    assert err.startswith("warning: CSF_BACKUP_LOG: nothing is logged to ")
    assert words.get(kind, ": ") in err
    assert not target.exists()


def test_a_fifo_that_somebody_reads_is_no_log_either(csf: Csf, place: Place, path: Path) -> None:
    """A reader that stops reading would block the backup."""
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    code, _, err = csf(*backup(place))
    os.close(reader)
    assert (code, "Not a file" in err) == (0, True)


@pytest.mark.parametrize("cut", [False, True])
def test_a_log_that_cannot_be_written_is_one_warning(
    csf: Csf, place: Place, path: Path, monkeypatch: pytest.MonkeyPatch, *, cut: bool
) -> None:
    """The backup is made; a truncated line ends where the next one begins."""
    write, struck = os.write, list[bytes]()

    def full(descriptor: int, data: bytes) -> int:
        if b" INFO " in data and len(struck) < 2:
            struck.append(data)
            if not cut:
                raise OSError(28, "No space left on device")
            return write(descriptor, data[:10])
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    code, _, err = csf(*backup(place))
    assert (code, err.count("warning: CSF_BACKUP_LOG: not all is logged to ")) == (0, 1)
    assert ("a line was cut short" if cut else "No space left on device") in err
    found = path.read_text().splitlines()
    assert sum(LINE.fullmatch(line) is None for line in found) == (2 if cut else 0)
    assert found[-1].endswith(" s")


def test_verbose_shows_it_on_standard_error(csf: Csf, place: Place) -> None:
    """Messages are not printed twice, and standard output has only the document."""
    code, out, err = csf(*backup(place, "-verbose", "-json"))
    assert (code, len(out.splitlines())) == (0, 1)
    assert all(LINE.fullmatch(line) for line in err.splitlines())
    assert "osbackup -a -I " in err
    code, out, err = csf(*backup(place, "-verbose"))
    assert (code, out) == (ExitCode.IMAGE_EXISTS, "")
    assert err.count("a.img exists") == 1


def test_options_of_the_ssh_command_are_no_ones_business(
    csf: Csf, place: Place, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of them may be a password; no other value of the environment is logged either."""
    monkeypatch.setenv("OTHER_SECRET", "hunter1")
    for value in ("false -p 'hunter2 x'", "nowhere -p hunter2", "false 'hunter2"):
        monkeypatch.setenv("CSF_BACKUP_SSH", value)
        line = ["admin_database_verify", "-image-file", f"db9:{place.image}", "-verbose"]
        code, _, err = csf(*line)
        shown = [text for text in err.splitlines() if LINE.fullmatch(text)]
        assert (code in (2, 30), "hunter" in "".join(shown)) == (True, False)
    assert "hunter" not in path.read_text()
    assert "ended with exit code 30" in path.read_text()


def test_csfs_own_logging_is_as_it_was(csf: Csf, place: Place, path: Path) -> None:
    """Our records do not reach its handlers, and it cannot turn off ours."""
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    root.addHandler(handler)
    before = (root.level, [*root.handlers], log.level, [*log.handlers])
    log.disabled = True
    try:
        assert csf(*backup(place))[0] == 0
        assert (root.level, root.handlers, log.level, log.handlers) == before
    finally:
        root.removeHandler(handler)
    assert (seen, bool(lines(path))) == ([], True)


def test_processes_at_once_write_whole_lines(tmp_path: Path) -> None:
    """Lines may have any length."""
    program = (
        "import sys; from csf_backup_plugin.cli.log_targets import logged; "
        "from csf_backup_plugin.log import log\n"
        "with logged({'CSF_BACKUP_LOG': sys.argv[1]}, print):\n"
        "    for _ in range(200): log.info('%s', 'x' * 9000)"
    )
    path = tmp_path / "csf.log"
    command = [sys.executable, "-c", program, str(path)]
    started = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    found = lines(path)
    assert len(found) == 600
    assert all(line.endswith("x... (9,000 characters)") for line in found)


def test_without_either_nothing_is_logged(csf: Csf, place: Place, tmp_path: Path) -> None:
    """Hosts are not observed either."""
    from csf_backup_plugin.hosts.logged_host import observed

    host = LocalHost()
    assert observed(host) is host
    with logged({"CSF_BACKUP_LOG": ""}, print):
        assert observed(host) is host
    assert csf(*backup(place))[0] == 0


def test_class_create_is_logged_too(place: Place, path: Path) -> None:
    """The environment turns it on, and errors are logged, too."""
    new = place.repository / "New.db"
    wrapper = plugin.class_create(place.master)
    next(wrapper)
    new.write_bytes(b"x")
    with pytest.raises(StopIteration):
        wrapper.send(str(new))
    text = "\n".join(lines(path))
    assert f"class_create begins in the repository of {place.master}" in text
    assert f"class_create has returned {new}" in text
    wrapper = plugin.class_create(place.master)
    next(wrapper)
    with pytest.raises(StopIteration):  # csf handles values that are no paths
        wrapper.send(7)  # type: ignore[arg-type]
    (place.repository / "lib.db.manifest").unlink()
    (place.repository / "lib.db.manifest").mkdir()
    wrapper = plugin.class_create(place.master)
    next(wrapper)
    with pytest.raises(StopIteration):
        wrapper.send(str(new))
    assert "WARNING" in "\n".join(lines(path))
    os.mkfifo(f"{place.master}.unfinished-restore")
    with pytest.raises(click.ClickException):
        next(plugin.class_create(place.master))
    assert "ERROR" in "\n".join(lines(path))
