"""osbackup, as its users see it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from imaging import command, make_database

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.layout import FRAME
from csf_simulator.utilities import osbackup, osrestore
from csf_simulator.utilities.backup_volumes import BackupVolumes

Capture = pytest.CaptureFixture[str]

pytestmark = [pytest.mark.measured, pytest.mark.usefixtures("workplace")]


def listed(*images: str, capfd: Capture) -> list[str]:
    """Return the databases in an image, which must be sound."""
    capfd.readouterr()
    arguments = [word for image in images for word in ("-f", image)]
    assert osrestore.run(["-t", *arguments]) == 0
    return capfd.readouterr().out.splitlines()


def test_output_is_as_documented(tmp_path: Path, capfd: Capture) -> None:
    """The manual's example, for a database of as many bytes, on stdout and nothing else."""
    path = make_database(tmp_path / "foo.db", 452, {1: os.urandom(451 * SECTOR)})
    assert osbackup.run(["-a", "-s", "80k", "-f", "./s1", "-f", "s2", "-f", "s3", str(path)]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.splitlines() == [
        "Writing backup volume #1 (./s1)...",
        f"Archiving 452 sectors in database {path}.",
        "Closing volume #1 (./s1).",
        "Auto switching to volume #2 (s2).",
        "Writing backup volume #2 (s2)...",
        "Closing volume #2 (s2).",
        "Auto switching to volume #3 (s3).",
        "Writing backup volume #3 (s3)...",
        "Closing volume #3 (s3).",
    ]
    assert max(os.path.getsize(name) for name in ("s1", "s2", "s3")) <= 80 * 1024
    assert listed("s1", "s2", "s3", capfd=capfd) == [str(path)]


def test_small_volumes_work(tmp_path: Path, capfd: Capture) -> None:
    """10k is in an example of the manual."""
    path = make_database(tmp_path / "a.db", 100, {1: os.urandom(99 * SECTOR)})
    before = path.read_bytes()
    names = [f"v{number}" for number in range(1, 8)]
    options = [word for name in names for word in ("-f", name)]
    assert osbackup.run(["-a", "-s", "10k", *options, str(path)]) == 0
    assert sorted(os.listdir()) == names[:-1]
    assert max(map(os.path.getsize, names[:-1])) <= 10 * 1024
    path.unlink()
    assert osrestore.run(["-a", *options[:-2]]) == 0
    assert path.read_bytes() == before


def test_smallest_volume_has_room_for_any_pathname(tmp_path: Path, capfd: Capture) -> None:
    """A smaller one is refused, and the error has the smallest possible size."""
    directory = tmp_path
    while len(str(directory)) < 3640:  # so that at most 250 bytes are left for the next name
        directory /= "d" * 200
    directory /= "e" * (4095 - len(str(directory / "a.db")) - 1 - 200)
    directory /= "f" * 199
    directory.mkdir(parents=True)
    path = make_database(directory / "a.db", 3, {1: os.urandom(2 * SECTOR)})
    assert len(str(path)) == 4095  # PATH_MAX, without the null
    before = path.read_bytes()
    assert osbackup.run(["-a", "-s", "4k", "-f", "v", str(path)]) == 1
    assert "-s 4k: the smallest volume is 5k\n" in capfd.readouterr().err
    assert os.listdir() == []
    options = [word for number in range(9) for word in ("-f", f"v{number}")]
    assert osbackup.run(["-a", "-s", "5k", *options, str(path)]) == 0
    written = sorted(os.listdir())
    assert max(map(os.path.getsize, written)) <= 5 * 1024
    assert listed(*written, capfd=capfd) == [str(path)]
    assert osrestore.run(["-a", *options[: 2 * len(written)], str(path), "a.db"]) == 0
    assert Path("a.db").read_bytes() == before


def test_import_file_and_pathnames_are_archived_together(tmp_path: Path, capfd: Capture) -> None:
    """One backup holds all that was named, the import file's first."""
    paths = [make_database(tmp_path / name) for name in ("a b.db", "é.db", "c'\"$(x).db")]
    Path("names").write_text(f"{paths[1]}\n\n{paths[0]}\n")
    assert osbackup.run(["-a", "-I", "names", "-f", "image", str(paths[2])]) == 0
    assert listed("image", capfd=capfd) == [str(paths[number]) for number in (1, 0, 2)]


def test_directories_are_archived(tmp_path: Path, capfd: Capture) -> None:
    """With -r a directory stands also for the directories below it."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    paths = [make_database(tmp_path / "d" / name) for name in ("a.db", "e/b.db")]
    assert osbackup.run(["-r", "-f", "image", str(tmp_path / "d")]) == 0
    assert listed("image", capfd=capfd) == [str(path) for path in paths]


def test_existing_image_is_overwritten_in_silence(tmp_path: Path, capfd: Capture) -> None:
    """Nothing is asked, and nothing of the old image is left."""
    path = make_database(tmp_path / "a.db")
    Path("image").write_bytes(b"x" * 100_000)
    assert osbackup.run(["-f", "image", str(path)]) == 0
    assert listed("image", capfd=capfd) == [str(path)]


def test_image_on_stdout_leaves_the_words_to_stderr(tmp_path: Path, capfd: Capture) -> None:
    """A pipe gets the image, the whole image and nothing but the image."""
    path = make_database(tmp_path / "a.db", 3000, {1: os.urandom(2999 * SECTOR)})
    with open("image", "wb") as image:
        done = subprocess.run(
            [*command("osbackup"), "-f", "-", str(path)], stdout=image, stderr=subprocess.PIPE
        )
    assert done.returncode == 0
    assert done.stderr.decode().splitlines()[-1] == "Closing volume #1 (-)."
    assert listed("image", capfd=capfd) == [str(path)]


def test_reader_that_goes_away_ends_it(tmp_path: Path) -> None:
    """`osbackup -f - | head` ends as any program of C++ does."""
    path = make_database(tmp_path / "a.db", 3000, {1: os.urandom(2999 * SECTOR)})
    with subprocess.Popen(
        [*command("osbackup"), "-f", "-", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(timeout=60) == -signal.SIGPIPE


@pytest.mark.parametrize(
    "arguments",
    [
        ["-x"],
        ["--help"],
        ["DB"],
        ["-f"],
        ["-f", "image"],
        ["-f", "-", "-f", "image", "DB"],
        ["-f", "-", "-s", "80k", "DB"],
        ["-f", "image", "-s", "4k", "DB"],
        ["-f", "image", "-s", "much", "DB"],
        ["-f", "image", "-b", "513", "DB"],
        ["-f", "image", "-B", "0", "DB"],
        ["-f", "image", "-i", "record", "-l", "10", "DB"],
        ["-f", "image", "-l", "1", "DB"],
        ["-f", "image", "-f", "./record", "-i", "record", "DB"],
        ["-f", "image", "-I", "/dev/null"],
    ],
)
def test_wrong_command_line_is_reported_with_the_usage(
    tmp_path: Path, capfd: Capture, arguments: list[str]
) -> None:
    """A wrong command line exits with 1 and writes nothing."""
    path = str(make_database(tmp_path / "a.db"))
    assert osbackup.run([path if word == "DB" else word for word in arguments]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "\nusage: osbackup" in err
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["-S", "true"], "-S"), (["-S", "true", "-i", "record"], "-S")],
)
def test_what_is_not_simulated_is_refused(
    tmp_path: Path, capfd: Capture, arguments: list[str], message: str
) -> None:
    """An option that is not simulated is an error, and not ignored."""
    path = make_database(tmp_path / "a.db")
    assert osbackup.run([*arguments, "-f", "image", str(path)]) == 1
    err = capfd.readouterr().err
    assert message in err
    assert "not simulated" in err
    assert os.listdir() == []


def test_tape_options_change_nothing(tmp_path: Path, capfd: Capture) -> None:
    """Block and buffer sizes are accepted, and have no effect on a file."""
    path = make_database(tmp_path / "a.db")
    assert osbackup.run(["-b", "126", "-B", "1m", "-f", "image", str(path)]) == 0
    assert listed("image", capfd=capfd) == [str(path)]


def _missing(path: Path) -> None:
    path.unlink()


def _no_database(path: Path) -> None:
    path.write_bytes(b"hello" * 1000)


def _cut(path: Path) -> None:
    os.truncate(path, SECTOR)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (_missing, "err_database_not_found"),
        (_no_database, "err_file_not_db"),
        (_cut, "err_inconsistent_db"),
        (_pipe, "err_not_a_database"),
    ],
)
def test_unusable_database_is_found_before_the_image_is_opened(
    tmp_path: Path, capfd: Capture, spoil: Callable[[Path], None], name: str
) -> None:
    """One database that cannot be archived leaves the old image as it was."""
    good, bad = (make_database(tmp_path / name) for name in ("a.db", "b.db"))
    spoil(bad)
    Path("image").write_bytes(b"old image")
    assert osbackup.run(["-a", "-f", "image", str(good), str(bad)]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("<err-0001-99")
    assert str(bad) in err
    assert err.endswith(f"({name})\n")
    assert Path("image").read_bytes() == b"old image"


def test_unreadable_database_is_denied(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error for a database without permission differs from that for a missing one."""
    path = make_database(tmp_path / "a.db")
    opened = os.open

    def refuse(name: str, flags: int, mode: int = 0o777) -> int:
        if name == str(path):
            raise PermissionError(13, "Permission denied", name)
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", refuse)
    assert osbackup.run(["-f", "image", str(path)]) == 1
    assert capfd.readouterr().err.endswith(f"{path}: Permission denied (err_permission_denied)\n")


def test_database_that_vanishes_under_way_fails_the_backup(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written remains, and is no image."""
    paths = [make_database(tmp_path / name) for name in ("a.db", "b.db")]

    def vanish(*_: object) -> None:
        paths[1].unlink(missing_ok=True)

    monkeypatch.setattr(BackupVolumes, "report", vanish)
    assert osbackup.run(["-a", "-f", "image", *map(str, paths)]) == 1
    assert "(err_database_not_found)" in capfd.readouterr().err
    assert Path("image").stat().st_size > 0
    assert osrestore.run(["-t", "-a", "-f", "image"]) == 1


@pytest.mark.parametrize("image", ["a.db", "link"])
def test_database_is_never_its_own_image(tmp_path: Path, capfd: Capture, image: str) -> None:
    """A database that is named as the image by mistake is not overwritten."""
    path = make_database(tmp_path / "a.db")
    (tmp_path / "link").hardlink_to(path)
    before = path.read_bytes()
    assert osbackup.run(["-a", "-f", str(tmp_path / image), str(path)]) == 1
    assert "another volume, a database or the record of this backup" in capfd.readouterr().err
    assert path.read_bytes() == before


def test_volume_is_never_used_twice(tmp_path: Path, capfd: Capture) -> None:
    """The second volume would overwrite the first."""
    path = make_database(tmp_path / "a.db", 100, {1: os.urandom(99 * SECTOR)})
    assert osbackup.run(["-a", "-s", "32k", "-f", "v", "-f", "./v", str(path)]) == 1
    assert "./v: another volume, a database or the record of this backup" in capfd.readouterr().err


def test_image_that_cannot_be_opened_is_an_error_with_abort(tmp_path: Path, capfd: Capture) -> None:
    """With -a no question is asked, and the error names the image."""
    path = make_database(tmp_path / "a.db")
    assert osbackup.run(["-a", "-f", "no/such/image", str(path)]) == 1
    assert capfd.readouterr() == (
        "",
        "<err-0001-0040>no/such/image: No such file or directory (err_misc)\n",
    )


def test_too_few_volumes_are_an_error_with_abort(tmp_path: Path, capfd: Capture) -> None:
    """What was written remains, without its end."""
    path = make_database(tmp_path / "a.db", 100, {1: os.urandom(99 * SECTOR)})
    assert osbackup.run(["-a", "-s", "32k", "-f", "v1", str(path)]) == 1
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == "Closing volume #1 (v1)."
    assert "needs another volume, and none is named" in err


def test_full_disk_is_an_error(tmp_path: Path, capfd: Capture) -> None:
    """The error names the image that did not fit."""
    path = make_database(tmp_path / "a.db")
    assert osbackup.run(["-a", "-f", "/dev/full", str(path)]) == 1
    err = capfd.readouterr().err
    assert err == "<err-0001-0040>/dev/full: No space left on device (err_misc)\n"


def test_file_size_limit_ends_it(tmp_path: Path) -> None:
    """A limit of the shell ends it with the same signal as a C++ program."""
    path = make_database(tmp_path / "a.db", 3000, {1: os.urandom(2999 * SECTOR)})
    limited = ["sh", "-c", 'ulimit -f 1000; exec "$@"', "sh"]
    done = subprocess.run([*limited, *command("osbackup"), "-a", "-f", "image", str(path)])
    assert done.returncode == -signal.SIGXFSZ
    assert 0 < os.path.getsize("image") < 3000 * SECTOR


def test_prompt_waits_for_an_operator(tmp_path: Path, capfd: Capture) -> None:
    """Without -a osbackup asks on a terminal, and waits for the answer."""
    path = make_database(tmp_path / "a.db", 100, {1: os.urandom(99 * SECTOR)})
    operator, terminal = pty.openpty()
    with subprocess.Popen(
        [*command("osbackup"), "-s", "32k", "-f", "no/such", "-f", "v1", str(path)],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        assert lines == [
            "<err-0001-0040>no/such: No such file or directory (err_misc)\n",
            "Please enter the pathname of the next file to use for backup.\n",
        ]
        assert process.poll() is None
        os.write(operator, b"v0\n")
        rest = [process.stdout.readline() for _ in range(5)]
        assert rest[-1] == "Writing backup volume #2 (v1)...\n"
        assert rest[-2] == "Auto switching to volume #2 (v1).\n"
        assert process.wait(timeout=60) == 0
    os.close(operator)
    os.close(terminal)
    assert listed("v0", "v1", capfd=capfd) == [str(path)]


def test_prompt_without_an_operator_is_an_error(tmp_path: Path) -> None:
    """At the end of standard input the question is an error."""
    path = make_database(tmp_path / "a.db", 100, {1: os.urandom(99 * SECTOR)})
    done = subprocess.run(
        [*command("osbackup"), "-s", "32k", "-f", "v1", str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout.endswith("Please enter the pathname of the next file to use for backup.\n")
    assert "standard input ended" in done.stderr


def test_without_a_home_it_does_nothing(tmp_path: Path) -> None:
    """A fake on PATH by accident does not pass for the real utility."""
    path = make_database(tmp_path / "a.db")
    environment = {name: value for name, value in os.environ.items() if name != "CSF_SIM_HOME"}
    done = subprocess.run(
        command("osbackup", "-f", "image", str(path)), env=environment, capture_output=True
    )
    assert (done.returncode, done.stdout, os.listdir()) == (1, b"", [])
    assert b"csf-sim run" in done.stderr


def test_sparse_database_makes_a_small_image(tmp_path: Path, capfd: Capture) -> None:
    """A hole of a terabyte costs neither time nor room."""
    data = {2**30: b"x" * SECTOR, 2**31 - 1: b"y" * SECTOR}
    path = make_database(tmp_path / "a.db", 2**31, data)
    assert osbackup.run(["-f", "image", str(path)]) == 0
    assert os.path.getsize("image") < 1024 * 1024
    assert listed("image", capfd=capfd) == [str(path)]


def test_memory_does_not_grow_with_the_databases(tmp_path: Path) -> None:
    """However large databases are, and however many, both utilities stay under 64 MiB."""
    directory = tmp_path / "databases"
    directory.mkdir()
    make_database(directory / "large.db", 300 * FRAME // SECTOR, {1: os.urandom(FRAME) * 299})
    for number in range(300):
        make_database(directory / f"{number}.db")
    program = (
        "import sys\n"
        "from csf_simulator.utilities import osbackup, osrestore\n"
        f"assert osbackup.run(['-f', 'image', {str(directory)!r}]) == 0\n"
        f"assert osrestore.run(['-f', 'image', {str(directory)!r}, '.']) == 0\n"
        "print(open('/proc/self/status').read())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (peak,) = (line.split()[1] for line in done.stdout.splitlines() if line.startswith("VmHWM"))
    assert int(peak) < 64 * 1024
    for name in os.listdir(directory):
        assert Path(name).read_bytes() == (directory / name).read_bytes()


def test_image_says_in_plain_text_that_it_is_simulated(tmp_path: Path) -> None:
    """The first bytes of an image say in plain text what it is."""
    path = make_database(tmp_path / "a.db")
    assert osbackup.run(["-f", "image", str(path)]) == 0
    head = Path("image").read_bytes()[:300]
    assert b"SIMULATED ObjectStore backup image" in head
    assert b"level: 0\ndatabases: 1\n" in head
