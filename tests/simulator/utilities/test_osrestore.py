"""osrestore, as its users see it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from imaging import command, make_database

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.layout import FRAME
from csf_simulator.utilities import osbackup, osrestore

Capture = pytest.CaptureFixture[str]

pytestmark = [pytest.mark.measured, pytest.mark.usefixtures("workplace")]
BLOCK = 128  # sectors: no file system here has larger blocks


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a directory with three databases, whose backup is in `image`."""
    directory = tmp_path / "repository"
    directory.mkdir()
    make_database(directory / "a.db", 5, {1: b"a" * SECTOR})
    make_database(directory / "b.db", FRAME // SECTOR + 9, {8: os.urandom(FRAME)})
    make_database(directory / "c.db", BLOCK * 50, {BLOCK * 20: b"c" * SECTOR})
    assert osbackup.run(["-a", "-f", "image", str(directory)]) == 0
    return directory


def tree(directory: Path) -> dict[str, bytes]:
    """Return every file in a directory, with its contents."""
    return {name: (directory / name).read_bytes() for name in os.listdir(directory)}


def test_list_has_one_full_pathname_on_each_line(repository: Path, capfd: Capture) -> None:
    """The list is on stdout, alone."""
    capfd.readouterr()
    assert osrestore.run(["-t", "-f", "image"]) == 0
    names = [f"{repository}/{name}.db\n" for name in "abc"]
    assert capfd.readouterr() == ("".join(names), "")


def test_databases_come_back_bit_for_bit(repository: Path) -> None:
    """Changed, cut and lost databases are as they were; nothing else is left behind."""
    before = tree(repository)
    (repository / "a.db").write_bytes(b"changed")
    (repository / "b.db").unlink()
    os.truncate(repository / "c.db", 0)
    assert osrestore.run(["-a", "-b", "126", "-f", "image"]) == 0
    assert tree(repository) == before


def test_holes_stay_holes(repository: Path) -> None:
    """A restored database takes no more room than the one that was backed up."""
    before = (repository / "c.db").stat()
    assert osrestore.run(["-f", "image"]) == 0
    after = (repository / "c.db").stat()
    assert after.st_ino != before.st_ino
    assert after.st_size == before.st_size
    assert after.st_blocks <= before.st_blocks < BLOCK * 50


@pytest.mark.parametrize(
    "name", [b"a b.db", b"'\"$(x);`y`.db", "caf\u00e9.db".encode(), b"\xff\xfe.db", b"-f", b"\r\t"]
)
def test_any_name_survives(
    tmp_path: Path, name: bytes, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A name is bytes, from the import file to the restored database."""
    path = os.path.join(os.fsencode(tmp_path), name)
    make_database(Path(os.fsdecode(path)))
    Path("names").write_bytes(path + b"\n")
    before = Path(os.fsdecode(path)).read_bytes()
    assert osbackup.run(["-a", "-I", "names", "-f", "image"]) == 0
    os.unlink(path)
    capfdbinary.readouterr()
    assert osrestore.run(["-t", "-f", "image"]) == 0
    assert capfdbinary.readouterr().out == path + b"\n"
    assert osrestore.run(["-f", "image"]) == 0
    assert Path(os.fsdecode(path)).read_bytes() == before


def test_thousand_databases_come_back(tmp_path: Path) -> None:
    """A large repository is restored like a small one."""
    (tmp_path / "many").mkdir()
    for number in range(1000):
        make_database(tmp_path / "many" / f"{number}.db", 2, {1: bytes([number % 256]) * SECTOR})
    Path("names").write_text("".join(f"{tmp_path}/many/{number}.db\n" for number in range(1000)))
    os.mkdir("back")
    assert osbackup.run(["-a", "-I", "names", "-f", "image"]) == 0
    assert osrestore.run(["-f", "image", f"{tmp_path}/many", "back"]) == 0
    assert tree(Path("back")) == tree(tmp_path / "many")


def test_pairs_restore_elsewhere(repository: Path) -> None:
    """Matched databases go where the pair says, and the originals are not touched."""
    os.mkdir("there")
    inodes = {name: (repository / name).stat().st_ino for name in os.listdir(repository)}
    assert osrestore.run(["-f", "image", str(repository), "there"]) == 0
    assert tree(Path("there")) == tree(repository)
    assert osrestore.run(["-f", "image", f"{repository}/a.db", "single"]) == 0
    assert Path("single").read_bytes() == (repository / "a.db").read_bytes()
    assert {name: (repository / name).stat().st_ino for name in inodes} == inodes


def test_sub_directories_stay_behind_with_n(tmp_path: Path) -> None:
    """Without -n a missing sub-directory is an error, since it is not created."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    make_database(tmp_path / "d" / "a.db")
    make_database(tmp_path / "d" / "e" / "b.db")
    os.mkdir("there")
    assert osbackup.run(["-r", "-f", "image", str(tmp_path / "d")]) == 0
    assert osrestore.run(["-f", "image", str(tmp_path / "d"), "there"]) == 1
    assert os.listdir("there") == []
    assert osrestore.run(["-n", "-f", "image", str(tmp_path / "d"), "there"]) == 0
    assert os.listdir("there") == ["a.db"]


def test_read_only_file_system_leaves_everything_untouched(
    repository: Path, namespace: list[str]
) -> None:
    """The error differs from that for a directory without permission to write."""
    script = 'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"'
    restore = command("osrestore", "-f", "image")
    done = subprocess.run(
        [*namespace, script, "sh", str(repository), *restore], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"<err-0001-9909>{repository}: Read-only file system (err_read_only_file_system)\n"
    )


def test_missing_directory_leaves_everything_untouched(repository: Path, capfd: Capture) -> None:
    """A missing directory is found before the first database is replaced."""
    before = tree(repository)
    assert osrestore.run(["-f", "image", f"{repository}/b.db", "no/where.db"]) == 1
    assert "no such directory to restore to (err_directory_not_found)" in capfd.readouterr().err
    repository.rename(repository.parent / "moved")
    assert osrestore.run(["-f", "image"]) == 1
    assert tree(repository.parent / "moved") == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["-x"],
        [],
        ["-f", "-", "-f", "image"],
        ["-f", "image", "-b", "0"],
        ["-f", "image", "-t", "/a", "/b"],
        ["-f", "image", "/a"],
    ],
)
def test_wrong_command_line_is_reported_with_the_usage(
    repository: Path, capfd: Capture, arguments: list[str]
) -> None:
    """A wrong command line exits with 1 and changes nothing."""
    capfd.readouterr()
    before = tree(repository)
    assert osrestore.run(arguments) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "\nusage: osrestore" in err
    assert tree(repository) == before


def assert_refused(image: bytes, directory: Path, capfd: Capture) -> None:
    """An image must be refused by both uses of osrestore, and nothing be touched."""
    Path("bad").write_bytes(image)
    before = {name: (directory / name).stat() for name in os.listdir(directory)}
    capfd.readouterr()
    for arguments in (["-t"], []):
        assert osrestore.run([*arguments, "-a", "-f", "bad"]) == 1
        out, err = capfd.readouterr()
        assert out == ""
        assert err.startswith("<err-0001-0040>bad: ")
    assert {name: (directory / name).stat() for name in os.listdir(directory)} == before


def test_damaged_image_restores_nothing(repository: Path, capfd: Capture) -> None:
    """An image cut, flipped or continued anywhere lists nothing and changes nothing."""
    image = Path("image").read_bytes()
    chance = random.Random(1)
    for _ in range(20):
        assert_refused(image[: chance.randrange(len(image))], repository, capfd)
        flipped = bytearray(image)
        flipped[chance.randrange(len(image))] ^= 1 << chance.randrange(8)
        assert_refused(bytes(flipped), repository, capfd)
    for other in (b"", image[:-1], image + b"\n", image + image, b"not an image" * 100):
        assert_refused(other, repository, capfd)


def test_missing_image_is_an_error_with_abort(capfd: Capture) -> None:
    """The image is named, and is no missing database."""
    assert osrestore.run(["-a", "-f", "nowhere"]) == 1
    err = capfd.readouterr().err
    assert err == "<err-0001-0040>nowhere: No such file or directory (err_misc)\n"


def test_directory_is_no_image(repository: Path, capfd: Capture) -> None:
    """A directory is refused like any other thing that cannot be read."""
    assert osrestore.run(["-a", "-f", str(repository)]) == 1
    assert f"{repository}: Is a directory" in capfd.readouterr().err


def test_pipes_carry_an_image_both_ways(repository: Path) -> None:
    """`osbackup -f - | osrestore -f -` copies databases."""
    os.mkdir("there")
    arguments = ("-f", "-", str(repository), "there")
    with subprocess.Popen(
        command("osbackup", "-f", "-", str(repository)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as backup:
        done = subprocess.run(command("osrestore", *arguments), stdin=backup.stdout)
    assert (backup.returncode, done.returncode) == (0, 0)
    assert tree(Path("there")) == tree(repository)


def test_pipe_that_breaks_off_restores_nothing(repository: Path) -> None:
    """What came before the break was restored aside, and is removed."""
    os.mkdir("there")
    cut = Path("image").read_bytes()[:-1]
    done = subprocess.run(
        command("osrestore", "-f", "-", str(repository), "there"), input=cut, capture_output=True
    )
    assert done.returncode == 1
    assert done.stderr == b"<err-0001-0040>-: the image is cut short (err_misc)\n"
    assert os.listdir("there") == []


@contextlib.contextmanager
def half_restored(repository: Path, *before: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a restore into `there` that waits for the second half of its image."""
    os.mkdir("there")
    arguments = ("-f", "-", str(repository), "there")
    with subprocess.Popen(
        [*before, *command("osrestore", *arguments)], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(Path("image").read_bytes()[:FRAME])
        process.stdin.flush()
        deadline = time.monotonic() + 60
        while len(os.listdir("there")) < 3:
            assert time.monotonic() < deadline
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_leaves_nothing_behind(repository: Path, number: signal.Signals) -> None:
    """An interrupted restore removes what it has made, and ends by the signal."""
    inherited = signal.signal(number, signal.SIG_DFL)  # a parent may have ignored it
    try:
        with half_restored(repository) as process:
            process.send_signal(number)
            assert process.wait(timeout=60) == -number
    finally:
        signal.signal(number, inherited)
    assert os.listdir("there") == []


def test_ignored_signal_stays_ignored(repository: Path) -> None:
    """Under nohup a restore goes on when its terminal is gone."""
    with half_restored(repository, "sh", "-c", 'trap "" HUP; exec "$@"', "sh") as process:
        process.send_signal(signal.SIGHUP)
        process.communicate(Path("image").read_bytes()[FRAME:], timeout=60)
    assert process.returncode == 0
    assert tree(Path("there")) == tree(repository)


def test_file_size_limit_leaves_nothing_behind(repository: Path) -> None:
    """A database that would exceed the limit is an error, and no part of it is left."""
    os.mkdir("there")
    limited = ["sh", "-c", 'ulimit -f 400; exec "$@"', "sh"]
    arguments = ("-f", "image", str(repository), "there")
    done = subprocess.run([*limited, *command("osrestore", *arguments)], capture_output=True)
    assert done.returncode == 1
    assert b"File too large (err_misc)" in done.stderr
    assert os.listdir("there") == []


@pytest.fixture
def volumes(repository: Path) -> list[str]:
    """Return the volumes of a backup of the repository."""
    names = [f"v{number}" for number in range(1, 41)]
    arguments = [word for name in names for word in ("-f", name)]
    assert osbackup.run(["-a", "-s", "80k", *arguments, str(repository)]) == 0
    made = [name for name in names if os.path.exists(name)]
    assert len(made) >= 3
    return made


def test_volumes_are_restored_in_order(repository: Path, volumes: list[str]) -> None:
    """Volumes named in the order they were written are one image."""
    os.mkdir("there")
    arguments = [word for name in volumes for word in ("-f", name)]
    assert osrestore.run([*arguments, str(repository), "there"]) == 0
    assert tree(Path("there")) == tree(repository)


def test_wrong_order_of_volumes_is_an_error(
    repository: Path, volumes: list[str], capfd: Capture
) -> None:
    """A volume out of place is named, and nothing is restored."""
    volumes[1], volumes[2] = volumes[2], volumes[1]
    os.mkdir("there")
    arguments = [word for name in volumes for word in ("-f", name)]
    assert osrestore.run([*arguments, str(repository), "there"]) == 1
    assert f"{volumes[1]}: this is not volume 2 of the image" in capfd.readouterr().err
    assert os.listdir("there") == []


def test_missing_volume_is_an_error_with_abort(volumes: list[str], capfd: Capture) -> None:
    """With -a a missing volume is an error, and no question is asked."""
    capfd.readouterr()
    assert osrestore.run(["-t", "-a", "-f", volumes[0]]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "needs another volume" in err


def test_missing_volume_is_asked_for(volumes: list[str]) -> None:
    """Without -a an operator names the volumes one by one."""
    with subprocess.Popen(
        command("osrestore", "-t", "-f", volumes[0]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in volumes[1:]:
            assert process.stdout.readline() == f"{osrestore.QUESTION}\n"
            assert process.poll() is None
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
        assert len(process.stdout.readlines()) == 3
        assert process.wait(timeout=60) == 0


def test_open_files_do_not_grow_with_the_volumes(tmp_path: Path) -> None:
    """Hundreds of volumes are written and read with a handful of descriptors."""
    path = make_database(tmp_path / "a.db", 3000, {1: os.urandom(2999 * SECTOR)})
    arguments = [word for number in range(110) for word in ("-f", f"v{number}")]
    limited = ["sh", "-c", 'ulimit -n 20; exec "$@"', "sh"]
    backup = command("osbackup", "-a", "-s", "16k", *arguments, str(path))
    assert subprocess.run([*limited, *backup], stdout=subprocess.DEVNULL).returncode == 0
    listing = command("osrestore", "-t", "-a", *arguments)
    done = subprocess.run([*limited, *listing], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{path}\n")
    assert os.path.exists("v90")
