"""The commands that change files, and what must hold after a strike and after the next command."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from cards import CARD
from faults.libc_sweep.bench import Bench, Ended
from newest_image import why_not_well

from csf_backup_plugin.image import copy_record, receipt_format, run_note, sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.repository import manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

Tree = dict[str, bytes]

# What no message reports.
_UNTRUE = re.compile(
    r"Traceback|unnamed file|\(None\)|: None|unexpected error|a fault of csf-backup-plugin|Errno"
)
# What may be left for some time, and for ever only if a message says so.
_TRANSIENT = re.compile(
    r"/\.csf-[^/]*\.tmp$|\.run$|\.copying(\.part)?$|/csf-drill-|\.damaged-|\.unfinished-restore$|/quarantine-|\.quarantine-"
)
_NOTHING = "Nothing was created or changed."
_ALL_REMOVED = "What this run had created was removed; nothing else was changed."


class Scene:
    """A command, with the site it runs on.

    Args:
        bench: where.

    Attributes:
        may_end_by: the signals it may be ended by.
        kept: a damaged manifest of which a copy is kept.
        stays: how the names of files end that a failure may leave and not name.
    """

    may_end_by: tuple[int, ...] = (signal.SIGKILL,)
    kept: bytes | None = None
    stays: tuple[str, ...] = (".lock",)

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.image = str(bench.images / "a.img")
        self.prepare()
        bench.save()
        self.before = bench.tree()

    @property
    def argv(self) -> list[str]:
        """The command."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Make the site."""
        self.bench.make()

    def databases(self) -> Tree:
        """Return the databases that no stroke may harm."""
        return {path: data for path, data in self.before.items() if path.endswith(".db")}

    def struck(self, ended: Ended) -> Iterator[str]:
        """Yield what is wrong after a command that was struck."""
        tree, said = self.bench.tree(), ended.output + ended.errors
        if ended.left:
            yield "something that it started did not end"
        if self.bench.is_locked():
            yield "the lock is held"
        if found := _UNTRUE.search(said):
            yield f"it says {found[0]!r}"
        if ended.status and ended.status > 0 and "\n" not in ended.errors.strip():
            yield "it does not say what happened, was left, and is to be done"
        if ended.status is None or (ended.status < 0 and -ended.status not in self.may_end_by):
            yield f"it ended with {ended.status}"
        changed = _changes(self.told(said), tree)
        if changed and (_NOTHING in said or _ALL_REMOVED in said):
            yield f"it says that there was no change: {changed}"
        if ended.status and ended.status > 0:
            for path in tree.keys() - self.before.keys():
                if not path.endswith(self.stays) and not self.is_told(path, said):
                    yield f"{path} is left, and it does not say so"
        yield from self.harm(tree)
        yield from self.harm_to_others(tree)
        yield from self.untruth()
        if ended.status == 0:
            yield from self.succeeded(tree, ended)

    def untruth(self) -> Iterator[str]:
        """Yield what a status does not report about the images."""
        at = ("-image-dir", f"localhost:{self.bench.images}", "-max-drill-age", "none")
        told = self.bench.run("admin_database_status", *at)
        why = why_not_well(self.bench.images)
        if told.status not in ((50, 70) if why else (0, 70)):
            yield f"a status ends with {told.status}, and {why or 'all is well'}: {told.output}"

    def is_told(self, path: str, said: str) -> bool:
        """Tell whether a path that was left is reported."""
        return _is_told(path, said)

    def told(self, said: str) -> Tree:
        """Return the files that are expected if nothing but the reported paths has changed."""
        return self.before

    def harm(self, tree: Tree) -> Iterator[str]:
        """Yield the databases that have changed."""
        for path, data in self.databases().items():
            if tree.get(path) != data:
                yield f"{path} is {'changed' if path in tree else 'gone'}"

    def harm_to_others(self, tree: Tree) -> Iterator[str]:
        """Yield other files that have changed, and faults of images."""
        for path, data in self.before.items():
            kept = path.endswith((".img", ".dbn", ".receipt.json", ".txt"))
            if kept and tree.get(path) != data:
                yield f"{path} is {'changed' if path in tree else 'gone'}"
        yield from _images(tree, self)

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        """Yield what is missing although the command ended with 0."""
        raise NotImplementedError

    def next(self, struck: Ended) -> Iterator[str]:
        """Do what a user does next, a night later; yield what is wrong after that."""
        ended = self.bench.run(*self.argv)
        yield from self.finished(ended, struck)

    def finished(self, ended: Ended, struck: Ended) -> Iterator[str]:
        """Yield what is wrong after the last command."""
        tree, said = self.bench.tree(), struck.errors + ended.errors
        if ended.status != 0:
            yield f"the next run ended with {ended.status}: {ended.errors}"
            return
        if found := _UNTRUE.search(ended.output + ended.errors):
            yield f"the next run says {found[0]!r}"
        if self.bench.is_locked():
            yield "the lock is held after the next run"
        for path, data in tree.items():
            if data == self.kept and path.startswith(f"{self.bench.master}.manifest.damaged-"):
                continue  # it should exist
            is_new = path not in self.before and _TRANSIENT.search(path)
            if is_new and not self.is_told(path, said):
                yield f"{path} is left and nobody says so"
        yield from self.harm(tree)
        yield from self.harm_to_others(tree)
        yield from self.succeeded(tree, ended)


def _is_told(path: str, said: str) -> bool:
    """Tell whether a path is named, or a directory of ours that contains it.

    A second name of a file takes no room, and is removed by the next write there.
    """
    if os.path.isfile(path) and os.stat(path).st_nlink > 1:
        return True
    above = [str(parent) for parent in Path(path).parents]
    return path in said or any(one in said for one in above if _TRANSIENT.search(one))


def _changes(before: Tree, after: Tree) -> str:
    made = [f"+{path}" for path in after.keys() - before.keys()]
    gone = [f"-{path}" for path in before.keys() - after.keys()]
    other = [f"~{path}" for path in before.keys() & after.keys() if before[path] != after[path]]
    return " ".join(sorted(made + gone + other))


def _images(tree: Tree, scene: Scene) -> Iterator[str]:
    """Yield the faults of images that have a receipt."""
    for path, data in tree.items():
        if not path.endswith(".receipt.json"):
            continue
        image = path.removesuffix(".receipt.json")
        facts = sealed_json.decode(data)
        if hashlib.sha256(tree.get(image, b"")).hexdigest() != facts["image_sha256"]:
            yield f"{image} is not what its receipt says"
            continue
        if image in scene.before:
            continue
        saved = contents(tree[image])
        for name in facts["databases"]:
            if name not in saved or saved[name] != tree.get(name):
                yield f"{image} does not hold {name}"
        for name in scene.databases():
            if name not in saved:
                yield f"{image} does not hold {name}"


def contents(image: bytes) -> Tree:
    """Return the databases in an image."""
    with tarfile.open(fileobj=io.BytesIO(image)) as archive:
        found = {}
        for member in archive.getmembers():
            extracted = archive.extractfile(member)
            assert extracted is not None
            found["/" + member.name.lstrip("/")] = extracted.read()
        return found


class FirstBackup(Scene):
    """The first backup of a repository."""

    @property
    def argv(self) -> list[str]:
        return self._to(self.image)

    def _to(self, image: str) -> list[str]:
        at = ("-image-file", f"localhost:{image}")
        return ["admin_database_backup", "-database", self.bench.master, *at]

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        if not any(path.endswith(".receipt.json") for path in tree.keys() - self.before.keys()):
            yield "there is no receipt"

    def next(self, struck: Ended) -> Iterator[str]:
        ended = self.bench.run(*self.argv)
        if ended.status == 10:
            proof = self.bench.run("admin_database_prove", "-image-file", f"localhost:{self.image}")
            # What is left is reported, and removed by hand.
            struck = struck._replace(errors=struck.errors + ended.errors + proof.errors)
            ended = self.bench.run(*self._to(f"{self.image}2"))
        yield from self.finished(ended, struck)
        shown = self.bench.run("admin_database_manifest", "-database", self.bench.master)
        if shown.status != 0:
            yield f"the manifest ends with {shown.status}: {shown.errors}"


class Backup(FirstBackup):
    """A backup of a repository that has earlier ones."""

    def prepare(self) -> None:
        super().prepare()
        done = self.bench.run(*self._to(self.image))
        assert done.status == 0, done.errors
        self.image = str(self.bench.images / "b.img")


class ClassCreate(Backup):
    """The creation of a class."""

    may_end_by = (signal.SIGKILL, signal.SIGTERM)  # the command is csf's own

    @property
    def argv(self) -> list[str]:
        return ["class_create", "-database", self.bench.master, "-class", "New"]

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        made = str(self.bench.repository / "New.db")
        listed = manifest.decode(tree[f"{self.bench.master}.manifest"])
        if made not in tree:
            yield "there is no new database"
        elif "New.db" not in listed.names and "warning" not in ended.errors.lower():
            yield "the new database is not in the manifest, and nobody says so"

    def next(self, struck: Ended) -> Iterator[str]:
        if not (self.bench.repository / "New.db").exists():
            ended = self.bench.run(*self.argv)
            if ended.status != 0:
                yield f"the next class_create ended with {ended.status}: {ended.errors}"
        ended = self.bench.run(*self._to(self.image))
        yield from self.finished(ended, struck)
        if (self.bench.repository / "New.db").read_bytes() != b"New" * 200:
            yield "the new database is not whole"
        shown = self.bench.run("admin_database_manifest", "-database", self.bench.master)
        if shown.status != 0:
            yield f"the manifest ends with {shown.status}: {shown.errors}"


class Rebuild(Backup):
    """A rebuild of the manifest."""

    @property
    def argv(self) -> list[str]:
        return ["admin_database_manifest", "-database", self.bench.master, "-rebuild"]

    def prepare(self) -> None:
        super().prepare()
        (self.bench.repository / "Found.db").write_bytes(b"found" * 100)

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        listed = manifest.decode(tree[f"{self.bench.master}.manifest"])
        if {*listed.names} != {"lib.db", "Book.db", "Found.db"}:
            yield f"the manifest lists {listed.names}"
        before = manifest.salvage(self.before[f"{self.bench.master}.manifest"])
        if before.identity and listed.identity != before.identity:
            yield "the repository has another id"

    def next(self, struck: Ended) -> Iterator[str]:
        ended = self.bench.run(*self.argv)
        yield from self.finished(ended, struck)
        done = self.bench.run(*self._to(self.image))
        if done.status != 0:
            yield f"the next backup ended with {done.status}: {done.errors}"


class RebuildDamaged(Rebuild):
    """A rebuild of a damaged manifest, of which a copy is kept."""

    def harm(self, tree: Tree) -> Iterator[str]:
        yield from super().harm(tree)
        name = f"{self.bench.master}.manifest"
        kept = [data for path, data in tree.items() if path.startswith((name, f"{name}.damaged-"))]
        if self.before[name] not in kept:
            yield "the damaged manifest is lost"

    def prepare(self) -> None:
        super().prepare()
        with open(f"{self.bench.master}.manifest", "ab") as file:
            file.write(b"Torn\xff\0\n")
        self.kept = Path(f"{self.bench.master}.manifest").read_bytes()


class Prove(Backup):
    """A prove of an image whose csf was killed."""

    @property
    def argv(self) -> list[str]:
        return ["admin_database_prove", "-image-file", f"localhost:{self.image}"]

    def prepare(self) -> None:
        super().prepare()
        self.image = str(self.bench.images / "a.img")
        os.unlink(f"{self.image}.receipt.json")
        os.mkdir(f"{self.image}.run")
        for name, text in (
            ("started", "2026-11-30T04:00:00+00:00"),
            ("pid", "1"),
            ("output", ""),
            ("status", "0"),
        ):
            Path(f"{self.image}.run/{name}").write_text(f"{text}\n")


class Verify(Backup):
    """A verification of an image."""

    @property
    def argv(self) -> list[str]:
        return ["admin_database_verify", "-image-file", f"localhost:{self.image}"]

    def prepare(self) -> None:
        super().prepare()
        self.image = str(self.bench.images / "a.img")

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        record = f"{self.image}.verify.json"
        before, rest = (
            {path: data for path, data in files.items() if "/.csf-" not in path}
            for files in (self.before, tree)
        )
        rest.pop(record, None)
        if changed := _changes(before, rest):
            yield f"changed: {changed}"
        if record in tree:  # not every reader may write there
            sealed_json.decode(tree[record], sealed_json.VERIFICATION)

    def next(self, struck: Ended) -> Iterator[str]:
        yield from Scene.next(self, struck)


class Drill(Verify):
    """A drill of an image."""

    @property
    def argv(self) -> list[str]:
        image = f"localhost:{self.image}"
        place = ("-scratch-dir", str(self.bench.scratch))
        return ["admin_database_drill", "-image-file", image, *place]

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        if f"{self.image}.drill.json" not in tree:
            yield "there is no record"
        else:
            sealed_json.decode(tree[f"{self.image}.drill.json"], sealed_json.DRILL)


class DrillAfterAnother(Drill):
    """A drill after a killed one, whose files it finds."""

    def prepare(self) -> None:
        super().prepare()
        name = f"csf-drill-a.img@{os.uname().nodename}-20261130T040000.000000Z"
        left = self.bench.scratch / name
        (left / "restored" / "r").mkdir(parents=True)
        (left / "restored" / "r" / "x.db.copy").touch()
        Path(f"{left}.lock").touch()

    def told(self, said: str) -> Tree:
        if "left by a drill that was killed, was removed" not in said:
            return self.before
        return {path: data for path, data in self.before.items() if "/csf-drill-" not in path}

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        yield from super().succeeded(tree, ended)
        for path in tree:
            if "/csf-drill-" in path and not _is_told(path.removesuffix(".lock"), ended.errors):
                yield f"{path} is left and nobody says so"


class Restore(Verify):
    """A restore of a repository, with a newer database in the way."""

    stays = (".lock", ".unfinished-restore")  # until a restore has succeeded, as the message says

    @property
    def argv(self) -> list[str]:
        options = ("-image-file", f"localhost:{self.image}", "-yes", "-quarantine")
        return ["admin_database_restore", "-database", self.bench.master, *options]

    def prepare(self) -> None:
        super().prepare()
        self.saved = contents(Path(self.image).read_bytes())
        with open(self.bench.repository / "Book.db", "ab") as file:
            file.write(b"later")
        made = self.bench.run("class_create", "-database", self.bench.master, "-class", "New")
        assert made.status == 0, made.errors

    def harm(self, tree: Tree) -> Iterator[str]:
        for path, data in self.databases().items():
            name = os.path.basename(path)
            if path in self.saved:
                if tree.get(path) not in (data, self.saved[path]):
                    yield f"{path} is neither as it was nor as it was saved"
            elif data not in [tree[one] for one in tree if os.path.basename(one) == name]:
                yield f"{path} is gone"

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        if {path: tree.get(path) for path in self.saved} != self.saved:
            yield "the databases are not the saved ones"
        if str(self.bench.repository / "New.db") in tree:
            yield "the newer database is in the way"
        listed = manifest.decode(tree[f"{self.bench.master}.manifest"])
        told = "does not say yet what was restored" in ended.errors
        if {*listed.names} != {"lib.db", "Book.db"} and not told:
            yield f"the manifest lists {listed.names}"

    def next(self, struck: Ended) -> Iterator[str]:
        ended = self.bench.run(*self.argv)
        yield from self.finished(ended, struck)
        done = self.bench.run(*self._to(f"{self.image}2"))
        if done.status != 0:
            yield f"the next backup ended with {done.status}: {done.errors}"


class Copy(Backup):
    """A copy of an image, which removes an older copy."""

    def prepare(self) -> None:
        super().prepare()
        self.copies = self.bench.site / "copies"
        self.copies.mkdir()
        for argv in (self._copy("a.img"), self._to(self.image)):
            done = self.bench.run(*argv)
            assert done.status == 0, done.errors
        self.older = str(self.copies / "a.img")

    def _copy(self, name: str, *options: str) -> list[str]:
        image, to = f"localhost:{self.bench.images / name}", f"localhost:{self.copies}"
        return ["admin_database_copy", "-image-file", image, "-to", to, *options]

    @property
    def argv(self) -> list[str]:
        return self._copy("b.img", "-keep", "1")

    def told(self, said: str) -> Tree:
        # The older copy is removed once the new one exists, as the message says.
        return self.bench.tree() if "The copy is made and proven" in said else self.before

    def harm_to_others(self, tree: Tree) -> Iterator[str]:
        is_made = f"{self.copies}/b.img.receipt.json" in tree
        for text in super().harm_to_others(tree):
            if not (is_made and text.startswith(self.older)):
                yield text

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        if tree.get(f"{self.copies}/b.img") != tree[f"{self.bench.images}/b.img"]:
            yield "there is no copy"
        if f"{self.copies}/b.img.receipt.json" not in tree:
            yield "there is no receipt"
        for path in tree:
            if path.startswith(self.older) and self.older not in ended.errors:
                yield f"{path} is there, and nobody says so"

    def next(self, struck: Ended) -> Iterator[str]:
        yield from Scene.next(self, struck)


class CopyAfterAnother(Copy):
    """A copy after a killed one, whose files it finds."""

    def prepare(self) -> None:
        super().prepare()
        original, copy = (
            ImagePath("localhost", f"{at}/b.img") for at in (self.bench.images, self.copies)
        )
        receipt = receipt_format.decode(Path(original.receipt).read_bytes())
        record = copy_record.record_of(original, receipt, "process 1 on driver", "then")
        Path(copy.copying).write_bytes(copy_record.encode(record))
        Path(copy.arriving).write_bytes(b"half")
        shutil.copy(original.import_file, copy.import_file)

    def told(self, said: str) -> Tree:
        if "was killed, and what it had left" not in said:
            return super().told(said)
        tree = self.bench.tree()
        return (
            tree
            if "The copy is made" in said
            else {
                path: data
                for path, data in self.before.items()
                if not path.startswith(f"{self.copies}/b.img")
            }
        )

    def harm_to_others(self, tree: Tree) -> Iterator[str]:
        for text in super().harm_to_others(tree):
            if not text.startswith(f"{self.copies}/b.img.dbn"):
                yield text


class Rotate(Scene):
    """A rotation that replaces last week's set; another night's set and foreign files stay.

    Attributes:
        left: what the paths begin with of what killed rotations have left, and may go at any time.
        proves: the image that has a receipt in the end, and had none.
    """

    left: tuple[str, ...] = ()
    proves = ""

    def prepare(self) -> None:
        super().prepare()
        self.replaced = self._rotated("2026-11-23", "week ago")
        self._rotated("2026-11-24", "other night")
        self._others()

    @property
    def argv(self) -> list[str]:
        return self._of("2026-11-30", "tonight")

    def _of(self, slot: str, run_id: str) -> list[str]:
        directory = ("-image-dir", f"localhost:{self.bench.images}")
        run = ("-slot", slot, "-run-id", run_id)
        return ["admin_database_rotate", "-database", self.bench.master, *directory, *run]

    def _rotated(self, slot: str, run_id: str) -> str:
        """Make a set; return its image's path."""
        before = {*self.bench.images.glob("*/*.img")}
        done = self.bench.run(*self._of(slot, run_id))
        assert done.status == 0, done.errors
        (made,) = {*self.bench.images.glob("*/*.img")} - before
        return str(made)

    def _others(self) -> None:
        """Make files that no rotation has made, with names like those of its sets."""
        place = self.bench.images / "monday"
        hand_made = f"localhost:{place / 'hand made.img'}"
        backup = ("admin_database_backup", "-database", self.bench.master)
        done = self.bench.run(*backup, "-image-file", hand_made)
        assert done.status == 0, done.errors
        for ending in ("", ".dbn", ".receipt.json"):
            shutil.copy(f"{self.replaced}{ending}", f"{place}/copy.img{ending}")
        (place / "by hand.img.dbn").write_text(f"{self.bench.master}\n")
        (place / "by hand.img.removing.txt").write_text("somebody else's")

    def told(self, said: str) -> Tree:
        return self.bench.tree() if "left by a run that was killed" in said else self.before

    def is_told(self, path: str, said: str) -> bool:
        return super().is_told(path, said) or (".img" in path and self._image(path) in said)

    def goes(self, path: str) -> bool:
        """Tell whether a file belongs to a set that is to be removed."""
        return path.startswith((self.replaced, *self.left))

    def harm_to_others(self, tree: Tree) -> Iterator[str]:
        made = self._made(tree)
        for path, data in self.before.items():
            may_go = path.startswith(self.left) or (made and self.goes(path))
            if "/images/" in path and tree.get(path) != data and not may_go:
                yield f"{path} is {'changed' if path in tree else 'gone'}"
        if len(made) > 1:
            yield f"the run has made {len(made)} sets: {made}"
        yield from _images(tree, self)

    def _made(self, tree: Tree) -> list[str]:
        """Return the images of the run that have a receipt."""
        return [
            path.removesuffix(".receipt.json")
            for path, data in tree.items()
            if path.endswith(".receipt.json") and sealed_json.decode(data)["run_id"] == "tonight"
        ]

    def succeeded(self, tree: Tree, ended: Ended) -> Iterator[str]:
        if not self._made(tree):
            yield "there is no receipt"
        for path in self.before:
            if self.goes(path) and path in tree and self._image(path) not in ended.errors:
                yield f"{path} is there, and nobody says so"

    def finished(self, ended: Ended, struck: Ended) -> Iterator[str]:
        yield from super().finished(ended, struck)
        tree = self.bench.tree()
        (image,) = self._made(tree) or [""]
        promised = {path for path in self.before if not self.goes(path)}
        promised |= {f"{image}{ending}" for ending in ("", ".dbn", ".receipt.json")}
        promised |= {f"{self.proves}.receipt.json"} if self.proves else set()
        there = {path for path in tree if "/images/" in path and "/.csf-" not in path}
        promised = {path for path in promised if "/images/" in path and "/.csf-" not in path}
        if f"  image      {image}\n" not in (self.bench.images / CARD).read_text(encoding="utf-8"):
            yield "the recovery card does not name the new set"
        if there != promised:
            yield f"not as promised: {sorted(there ^ promised)}"

    def _image(self, path: str) -> str:
        return re.sub(r"(\.img).*", r"\1", path)


class RotateAfterKills(Rotate):
    """A rotation after killed ones, whose files it proves or removes."""

    def prepare(self) -> None:
        super().prepare()
        half, self.proves = (self._rotated(f"2026-11-{day}", f"run of {day}") for day in (25, 26))
        failed = f"{half[:-4]}-2.img"
        for ending in ("", ".dbn"):
            shutil.copy(half + ending, failed + ending)
        os.rename(f"{half}.receipt.json", f"{half}.removing")
        made = receipt_format.decode(Path(f"{self.proves}.receipt.json").read_bytes())
        os.unlink(f"{self.proves}.receipt.json")
        for image, status in ((failed, "1"), (self.proves, "0")):
            os.mkdir(f"{image}.run")
            note = run_note.encode(made.origin, made.placement)
            Path(f"{image}.run/note").write_bytes(note)
            for name, text in (("pid", "999999999"), ("output", ""), ("status", status)):
                Path(f"{image}.run/{name}").write_text(f"{text}\n")
        claim = f"{half[:-4]}-3.img"
        Path(f"{claim}.dbn").write_text(f"{self.bench.master}\n")
        self.left = (half, failed, claim, f"{self.proves}.run")


SCENES = (
    FirstBackup,
    Backup,
    ClassCreate,
    Rebuild,
    RebuildDamaged,
    Prove,
    Verify,
    Drill,
    DrillAfterAnother,
    Restore,
    Copy,
    CopyAfterAnother,
    Rotate,
    RotateAfterKills,
)
