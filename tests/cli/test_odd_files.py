"""A foreign kind of file in place of ours is reported at once, not read whole or waited for."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tracemalloc
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from conftest import Place, Tools
from scale import scaled

from csf_backup_plugin.cli.class_create import around
from csf_backup_plugin.cli.failure import Failure

Csf = Callable[..., tuple[int, str, str]]

LARGE = 300_000_000


def sparse(path: str) -> None:
    """Make a large file without blocks."""
    with open(path, "wb") as file:
        file.truncate(LARGE)


def listening(path: str) -> None:
    """Make a socket; its name in an address must be short."""
    with socket.socket(socket.AF_UNIX) as end:
        directory = os.open(os.path.dirname(path), os.O_PATH)
        end.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        os.close(directory)


def device(path: str) -> None:
    """Make an endless device, or another special file for an unprivileged user."""
    if os.geteuid():
        listening(path)
    else:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5))


def endless(path: str) -> None:
    """Make a link to an endless file."""
    os.symlink("/dev/zero", path)


THINGS = (os.mkfifo, os.mkdir, sparse, device, listening, endless)

# Each file: what it is beside, whether the image has lost its csf, and how the commands that read
# it end. What is not named reads it and has no need of it.
FILES: dict[str, tuple[str, bool, dict[str, int]]] = {
    ".receipt.json": ("image", False, {"verify": 50, "latest": 50, "prove": 50, "drill": 50}),
    ".dbn": ("image", False, {"verify": 50, "drill": 50}),
    "": ("image", False, {"verify": 50, "prove": 50, "drill": 50, "restore": 50}),
    ".drill.json": ("image", False, {}),
    ".run": ("image", True, {"verify": 50, "prove": 41, "drill": 50, "restore": 50}),
    ".run/status": ("image", True, {"verify": 50, "prove": 41, "restore": 50}),
    ".run/started": ("image", True, {"verify": 50, "restore": 50}),
    ".run/pid": ("image", True, {"verify": 50, "drill": 50}),
    ".run/output": ("image", True, {"verify": 50, "drill": 50}),
    ".manifest": ("master", False, {"backup": 13, "rebuild": 13, "restore": 1, "latest": 1}),
    ".lock": ("master", False, {"backup": 1, "rebuild": 1, "restore": 1}),
    ".unfinished-restore": ("master", False, {"backup": 13, "restore": 1, "class_create": 13}),
}
ALSO_READ: dict[str, tuple[str, ...]] = {
    ".receipt.json": ("backup",),
    ".dbn": ("backup", "restore", "prove"),
    ".drill.json": ("drill", "verify"),
    ".run/started": ("prove",),
    ".run/pid": ("prove",),
    ".run/output": ("prove",),
    ".manifest": ("class_create",),
    ".lock": ("class_create",),
}


class Site:
    """A repository with an image, on which every command is run.

    Args:
        csf: runs a command.
        place: the repository.
    """

    def __init__(self, csf: Csf, place: Place) -> None:
        self._csf = csf
        self._place = place
        self._scratch = str(place.images.parent)
        image = f"localhost:{place.image}"
        self._latest = ("-image-file", f"localhost:{place.images}/latest")
        self._image, self._master = ("-image-file", image), ("-database", place.master)
        assert csf("admin_database_backup", *self._master, *self._image)[0] == 0
        self._kept = place.images.parent / "kept"
        for directory in (place.images, place.repository):
            shutil.copytree(directory, self._kept / directory.name)

    def reset(self, *, orphaned: bool) -> None:
        """Restore the state after the backup, or after a csf that was killed."""
        for directory in (self._place.images, self._place.repository):
            shutil.rmtree(directory)
            shutil.copytree(self._kept / directory.name, directory)
        if orphaned:
            os.unlink(f"{self._place.image}.receipt.json")
            os.mkdir(f"{self._place.image}.run")
            for name, text in (("status", "0"), ("started", "2026-11-23T02:10:00Z")):
                Path(f"{self._place.image}.run/{name}").write_text(text)

    def run(self, command: str) -> tuple[int, str]:
        """Run a command; return its exit code and messages."""
        if command == "class_create":
            return self._class_create()
        other = ("-image-file", f"localhost:{self._place.images}/b.img")
        words = {
            "backup": ("backup", *self._master, *other, "-wait", "0"),
            "verify": ("verify", *self._image),
            "latest": ("verify", *self._latest, *self._master),
            "prove": ("prove", *self._image, "-wait", "0"),
            "drill": ("drill", *self._image, "-scratch-dir", self._scratch),
            "restore": ("restore", *self._image, *self._master, "-yes", "-wait", "0"),
            "rebuild": ("manifest", *self._master, "-rebuild"),
        }[command]
        code, _, said = self._csf(f"admin_database_{words[0]}", *words[1:])
        return code, said

    def _class_create(self) -> tuple[int, str]:
        creation = around(self._place.master)
        try:
            next(creation)
            creation.close()
        except Failure as failure:
            return failure.exit_code, failure.message
        return 0, ""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("suffix", FILES)
def test_what_is_no_file_of_ours_is_reported_at_once(
    csf: Csf, place: Place, tools: Tools, suffix: str
) -> None:
    """It may be a pipe, directory, device, socket, link or huge file, for every command."""
    site = Site(csf, place)
    beside, orphaned, ends = FILES[suffix]
    path = {"image": place.image, "master": place.master}[beside] + suffix
    commands = {**ends, **dict.fromkeys(ALSO_READ.get(suffix, ()), 0)}
    for number, (thing, command) in enumerate(product(THINGS, commands)):
        if number % 3 >= scaled(1):
            continue
        site.reset(orphaned=orphaned)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
        thing(path)
        tracemalloc.start()
        code, said = site.run(command)
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        expected = commands[command]
        if suffix == ".lock":
            expected = 0 if thing is sparse or command == "class_create" else expected
        if suffix == ".drill.json" and command == "drill":
            expected = 12 if thing is os.mkdir else 0
        case = f"{thing.__name__} {command}: {code}, {said}"
        assert code == expected, case
        assert taken < LARGE / 10, case
        assert len(said) < 3000, case
        if command == "latest" and beside == "image":
            assert "a.img has a receipt that cannot be read" in said, case
        elif code and not suffix.startswith(".run/"):
            assert os.path.basename(path) in said, case
