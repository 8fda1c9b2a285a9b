"""Incremental backups and restores, as their users see them."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging import make_database, split

from csf_simulator.database.header import Header, encode_header
from csf_simulator.database.sectors import SECTOR
from csf_simulator.home import Home
from csf_simulator.image.layout import FRAME, PIECE
from csf_simulator.repository import repository
from csf_simulator.simulator import Simulator
from csf_simulator.utilities import osbackup, osrestore

Capture = pytest.CaptureFixture[str]
PIECE_SECTORS = PIECE // SECTOR


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Work in a simulator's home."""
    place = tmp_path_factory.mktemp("home")
    Home(str(place)).create()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSF_SIM_HOME", str(place))
        yield


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database of 5 MB, and work in an empty directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return make_database(tmp_path / "a.db", 10_000, {1: os.urandom(9_999 * SECTOR)})


def back_up(level: int, image: str, *paths: Path | str, record: str = "record") -> None:
    """Make an incremental backup, which must succeed."""
    arguments = ["-a", "-i", record, "-l", str(level), "-f", image, *map(str, paths)]
    assert osbackup.run(arguments) == 0


def restore(*images: str) -> None:
    """Restore a chain of images, which must succeed."""
    for image in images:
        assert osrestore.run(["-a", "-f", image]) == 0


def change(path: Path, sector: int) -> bytes:
    """Change a sector of a database, and return the whole of it."""
    with path.open("r+b") as file:
        file.seek(sector * SECTOR)
        file.write(os.urandom(SECTOR))
    return path.read_bytes()


def resize(path: Path, sectors: int) -> bytes:
    """Make a database longer or shorter, and return the whole of it."""
    with path.open("r+b") as file:
        header = Header(file.read(32)[16:32], sectors, "class")
        file.seek(0)
        file.write(encode_header(header))
        file.truncate(sectors * SECTOR)
    return path.read_bytes()


def test_only_changes_are_saved(database: Path, capfd: Capture) -> None:
    """A changed sector costs one piece; the list nevertheless names the whole database."""
    back_up(0, "full", database)
    changed = change(database, 5_000)
    back_up(1, "changes", database)
    assert os.path.getsize("full") > 10_000 * SECTOR
    assert os.path.getsize("changes") < PIECE + 5_000
    assert os.path.getsize("record") < 10_000 * SECTOR // 500
    capfd.readouterr()
    assert osrestore.run(["-t", "-f", "changes"]) == 0
    assert capfd.readouterr() == (f"{database}\n", "")
    database.unlink()
    restore("full", "changes")
    assert database.read_bytes() == changed


def test_record_without_a_level_is_a_full_backup(database: Path) -> None:
    """A full backup with a record can be built upon."""
    for image in ("first", "second"):
        assert osbackup.run(["-i", "record", "-f", image, str(database)]) == 0
        assert os.path.getsize(image) > 10_000 * SECTOR
    back_up(9, "changes", database)
    assert os.path.getsize("changes") < 5_000


def test_level_0_needs_no_record(database: Path) -> None:
    """Level 0 is the default, and needs no record."""
    assert osbackup.run(["-l", "0", "-f", "image", str(database)]) == 0
    assert os.listdir() == ["image"]


def test_level_holds_all_since_the_last_lower_one(database: Path) -> None:
    """A level 1 makes the level 2 before it unnecessary, as with dump."""
    back_up(0, "zero", database)
    change(database, 1_000)
    back_up(2, "two", database)
    changed = change(database, 2_000)
    back_up(1, "one", database)
    assert 2 * PIECE < os.path.getsize("one") < 2 * PIECE + 5_000
    restore("zero", "two")
    assert database.read_bytes() != changed
    restore("zero", "one")
    assert database.read_bytes() == changed


def test_database_without_a_record_is_saved_whole(database: Path, tmp_path: Path) -> None:
    """A class that was created since needs no earlier image."""
    back_up(0, "full", database)
    new = make_database(tmp_path / "b.db", 50, {1: os.urandom(9 * SECTOR)})
    contents = database.read_bytes(), new.read_bytes()
    back_up(1, "changes", database, new)
    new.unlink()
    restore("full", "changes")
    assert (database.read_bytes(), new.read_bytes()) == contents


def test_database_made_again_is_saved_whole(database: Path) -> None:
    """The image of a database that was made again can be restored over any other."""
    back_up(0, "full", database)
    make_database(database, 60, {1: os.urandom(50 * SECTOR)})
    contents = database.read_bytes()
    back_up(1, "whole", database)
    database.unlink()
    restore("whole")
    assert database.read_bytes() == contents


def test_moved_database_is_saved_whole(database: Path, tmp_path: Path) -> None:
    """A record is of a name and an id: a copy under another name is another database."""
    back_up(0, "full", database)
    copy = Path(shutil.copy(database, tmp_path / "copy.db"))
    back_up(1, "whole", copy)
    copy.unlink()
    restore("whole")
    assert copy.read_bytes() == database.read_bytes()


def test_holes_stay_holes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sparse database takes no room in any image, and none after a restore."""
    monkeypatch.chdir(tmp_path)
    path = make_database(tmp_path / "a.db", 2**31, {2**30: b"x" * SECTOR})
    back_up(0, "full", path)
    with path.open("r+b") as file:
        file.seek((2**30 + 7) * SECTOR)
        file.write(b"y" * SECTOR)
    back_up(1, "changes", path)
    path.unlink()
    restore("full", "changes")
    assert os.path.getsize("full") + os.path.getsize("changes") < 5 * PIECE
    assert path.stat().st_size == 2**31 * SECTOR
    assert path.stat().st_blocks < 2_000
    with path.open("rb") as file:
        file.seek(2**30 * SECTOR)
        assert file.read(8 * SECTOR) == b"x" * SECTOR + bytes(6 * SECTOR) + b"y" * SECTOR


def test_volumes_and_pairs(database: Path, tmp_path: Path) -> None:
    """A chain of images in volumes is restored elsewhere, and only what is asked for."""
    other = make_database(tmp_path / "b.db", 50)
    back_up(0, "full", database, other)
    changed = change(database, 1)
    volumes = ["-s", "16k", "-f", "v1", "-f", "v2"]
    assert osbackup.run(["-a", "-i", "record", "-l", "1", *volumes, str(database)]) == 0
    elsewhere = tmp_path / "elsewhere.db"
    for images in (["-f", "full"], ["-f", "v1", "-f", "v2"]):
        assert osrestore.run(["-a", *images, str(database), str(elsewhere)]) == 0
    assert elsewhere.read_bytes() == changed
    assert osrestore.run(["-a", "-f", "v1", "-f", "v2", str(other), str(elsewhere)]) == 1


@settings(max_examples=40)
@given(st.data())
def test_any_chain_restores_every_state(data: st.DataObject) -> None:
    """The chain of each backup restores the state it saved, after any changes."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.db")
        sectors = data.draw(st.integers(1, 200), "sectors")
        make_database(path, sectors, {sectors - 1: b"x" * SECTOR} if sectors > 1 else {})
        chain: list[tuple[int, str]] = []
        for number in range(data.draw(st.integers(1, 6), "backups")):
            for _ in range(data.draw(st.integers(0, 3), "changes")):
                _disturb(path, data)
            level = data.draw(st.integers(0, 3), "level") if chain else 0
            image, contents = os.path.join(place, f"{number}.img"), path.read_bytes()
            back_up(level, image, path, record=os.path.join(place, "record"))
            chain = [(before, name) for before, name in chain if before < level]
            chain.append((level, image))
            path.unlink()
            restore(*(name for _, name in chain))
            assert path.read_bytes() == contents


def _disturb(path: Path, data: st.DataObject) -> None:
    """Change the length of a database, a sector of it, or make a stretch of it zeros."""
    sectors = path.stat().st_size // SECTOR
    what = data.draw(st.sampled_from(["resize", "change", "zero"]), "what")
    if what == "resize":
        resize(path, data.draw(st.integers(1, 200), "length"))
    elif sectors > 1:
        first = data.draw(st.integers(1, sectors - 1), "first")
        length = data.draw(st.integers(1, sectors - first), "count") * SECTOR
        with path.open("r+b") as file:
            file.seek(first * SECTOR)
            file.write(bytes(length) if what == "zero" else os.urandom(length))


@pytest.fixture
def chain(database: Path) -> Path:
    """Return a database with images of levels 0, 1, 2 and, in its place, 1 again, then 3."""
    back_up(0, "zero", database)
    change(database, 1)
    back_up(1, "one", database)
    change(database, 2_000)
    back_up(2, "two", database)
    change(database, 4_000)
    back_up(3, "three", database)
    return database


@pytest.mark.parametrize(
    ("before", "refused"),
    [
        ([], "one"),  # the database is as after level 3
        (["zero"], "two"),
        (["zero"], "three"),
        (["zero", "one"], "three"),
        (["zero", "one"], "one"),
        (["zero", "one", "two"], "one"),
    ],
)
def test_any_other_order_is_refused(
    chain: Path, capfd: Capture, before: list[str], refused: str
) -> None:
    """A missing, repeated or late link restores nothing."""
    restore(*before)
    state = chain.stat().st_ino, chain.stat().st_mtime_ns
    capfd.readouterr()
    assert osrestore.run(["-f", refused]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"<err-0001-9902>{chain}: not as the image ")
    assert (chain.stat().st_ino, chain.stat().st_mtime_ns) == state
    assert sorted(os.listdir(chain.parent)) == ["a.db", "work"]


def test_changed_target_is_refused(chain: Path) -> None:
    """One sector that was written meanwhile is enough."""
    restore("zero")
    changed = change(chain, 9_999)
    assert osrestore.run(["-f", "one"]) == 1
    assert chain.read_bytes() == changed


def test_image_cannot_be_one_of_another_record(chain: Path) -> None:
    """Two chains do not mix, unless the state is the very same."""
    back_up(0, "other", chain, record="other record")
    change(chain, 17)
    back_up(1, "other one", chain, record="other record")
    restore("zero")
    assert osrestore.run(["-f", "other one"]) == 1
    restore("other", "other one")


def test_target_that_vanished_is_refused(chain: Path) -> None:
    """An incremental image alone makes no database."""
    chain.unlink()
    assert osrestore.run(["-f", "one"]) == 1
    assert not chain.exists()


def test_one_wrong_target_is_enough(database: Path, tmp_path: Path) -> None:
    """If one database is in another state, the whole set is unchanged."""
    other = make_database(tmp_path / "b.db", 50, {1: os.urandom(SECTOR)})
    back_up(0, "full", database, other)
    change(database, 1)
    back_up(1, "one", database, other)
    restore("full")
    states = [database.read_bytes(), change(other, 2)]
    assert osrestore.run(["-f", "one"]) == 1
    assert [database.read_bytes(), other.read_bytes()] == states


def test_every_damage_of_an_incremental_image_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image cut, flipped or continued anywhere restores nothing; the sound one still does."""
    monkeypatch.chdir(tmp_path)
    path = make_database(tmp_path / "a.db", 3 * PIECE_SECTORS, {1: b"x" * PIECE})
    back_up(0, "full", path)
    resize(path, 2 * PIECE_SECTORS + 1)
    back_up(1, "one", path)
    restore("full")
    image, before = Path("one").read_bytes(), path.stat()
    _, records = split(image)
    assert [record.kind for record, _ in records][1:3] == [b"BASE", b"OVER"]
    damaged = [image[:length] for length in range(0, len(image), 397)] + [image + b"\0"]
    for at in range(0, len(image), 101):
        damaged.append(image[:at] + bytes([image[at] ^ 1 << at % 8]) + image[at + 1 :])
    for contents in damaged:
        Path("bad").write_bytes(contents)
        assert osrestore.run(["-f", "bad"]) == 1
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    restore("one")


@pytest.mark.parametrize("contents", [b"", b"hello", None])
def test_foreign_record_is_refused_before_the_image_is_opened(
    database: Path, capfd: Capture, contents: bytes | None
) -> None:
    """Neither a file of something else nor a damaged record is overwritten."""
    back_up(0, "full", database)
    found = Path("record").read_bytes()[:-1] if contents is None else contents
    Path("record").write_bytes(found)
    Path("image").write_bytes(b"old image")
    capfd.readouterr()
    assert osbackup.run(["-i", "record", "-l", "1", "-f", "image", str(database)]) == 1
    assert "incremental record file" in capfd.readouterr().err
    assert Path("image").read_bytes() == b"old image"
    assert Path("record").read_bytes() == found


def test_record_is_never_overwritten_by_an_image(database: Path, capfd: Capture) -> None:
    """An image is refused under every name of the record: links, or a link to no file yet."""
    Path("future").symlink_to("record")
    assert osbackup.run(["-i", "record", "-f", "future", str(database)]) == 1
    back_up(0, "full", database)
    os.link("record", "hard")
    record = Path("record").read_bytes()
    capfd.readouterr()
    assert osbackup.run(["-a", "-i", "record", "-f", "hard", str(database)]) == 1
    assert "the record" in capfd.readouterr().err
    assert Path("record").read_bytes() == record


def test_failed_backup_is_not_recorded(database: Path) -> None:
    """The next one builds upon what was complete."""
    back_up(0, "full", database)
    record = Path("record").read_bytes()
    change(database, 1)
    assert osbackup.run(["-a", "-i", "record", "-l", "1", "-f", "/dev/full", str(database)]) == 1
    assert Path("record").read_bytes() == record
    assert sorted(os.listdir()) == ["full", "record"]


def test_levels_of_many_databases_are_kept_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backups of some of them leave the records of the others alone."""
    monkeypatch.chdir(tmp_path)
    chance = random.Random(7)
    paths = [
        make_database(tmp_path / f"{number}.db", 80, {1: os.urandom(79 * SECTOR)})
        for number in range(4)
    ]
    back_up(0, "full", *paths)
    images = ["full"]
    for number in range(6):
        chosen = chance.sample(paths, 2)
        for path in chosen:
            change(path, chance.randrange(1, 80))
        back_up(min(9, number + 1), f"{number}.img", *chosen)
        images.append(f"{number}.img")
    states = [path.read_bytes() for path in paths]
    restore(*images)
    assert [path.read_bytes() for path in paths] == states


def test_image_says_its_level(database: Path) -> None:
    """The note in the image has the level."""
    back_up(0, "full", database)
    back_up(4, "image", database)
    assert b"\nlevel: 4\ndatabases: 1\n" in Path("image").read_bytes()[:300]


def test_frames_are_cut_at_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database of several frames with a hole in it is compared in the same pieces each time."""
    monkeypatch.chdir(tmp_path)
    data = {1: os.urandom(FRAME), 3 * FRAME // SECTOR + 9: os.urandom(2 * FRAME)}
    path = make_database(tmp_path / "a.db", 6 * FRAME // SECTOR + 3, data)
    back_up(0, "full", path)
    changed = change(path, 2 * FRAME // SECTOR)
    back_up(1, "one", path)
    assert PIECE < os.path.getsize("one") < 2 * PIECE
    restore("full", "one")
    assert path.read_bytes() == changed


def test_chain_made_at_work_is_consistent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image of a chain is from one instant, also while transactions go on."""
    with Simulator(str(tmp_path / "home")) as sim:
        monkeypatch.setenv("CSF_SIM_HOME", sim.home.path)
        monkeypatch.chdir(tmp_path)
        directory, copy = tmp_path / "zoo", tmp_path / "copy"
        copy.mkdir()
        repository.create(sim.home.server, str(directory / "zoo.db"), classes=3)
        with sim.workload(str(directory / "zoo.db"), writers=2):
            for level in range(4):
                back_up(level, f"{level}.img", directory)
        for level in range(4):
            pair = [str(directory), str(copy)]
            assert osrestore.run(["-a", "-f", f"{level}.img", *pair]) == 0
            assert sim.check(str(copy / "zoo.db")) == []
