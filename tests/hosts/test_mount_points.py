"""Mount points, in a mount namespace of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.hosts.protocol.values import Stat
from csf_backup_plugin.hosts.ssh.details import detailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# $1 is a directory. One file system in it is mounted twice, once as a whole and once in part; the
# part of a file system that is mounted within that itself has no device of its own, and one that is
# mounted where it is already is where it was. One mount hides another.
MOUNT = """
cd "$1"
mkdir disk part same inside itself 'a b' lower upper work over
mount -t tmpfs none disk
mkdir -p disk/a/b inside/d; touch disk/a/b/f
mount --bind disk/a part
mount --bind inside same
mount --bind itself itself
mount -t tmpfs 'server:/a b\\c' 'a b'
mkdir -p 'a b/deep'; mount -t tmpfs none 'a b/deep'; mount -t tmpfs top 'a b'; mkdir 'a b/deep'
mkdir disk/upper disk/work
mount -t overlay all -o "lowerdir=$PWD/lower,upperdir=$PWD/disk/upper,workdir=$PWD/disk/work" over
ln -s ../part/b inside/link; ln -s ../part/b/f inside/file
"""
EXPECTED = {
    "disk": "disk",
    "disk/a": "disk",
    "disk/a/b/f": "disk",
    "part": "part",
    "part/b": "part",
    "part/b/f": "part",
    "same": "same",
    "same/d": "same",
    "inside/link": "part",
    "inside/file": "part",
    "itself": "",
    "a b/deep": "a b",
    "over": "over",
}
LOOK = """
import json, sys
from csf_backup_plugin.hosts.local.host import LocalHost
facts = [LocalHost().look([path])[0] for path in sys.argv[1:]]
json.dump([[fact.mount, fact.place, fact.filesystem, fact.source] for fact in facts], sys.stdout)
"""


def check(told: list[list[str]], top: Path) -> None:
    """Check the reported mount, place, type and source of each path."""
    around = os.path.dirname(top)
    mounts = ["" if around.startswith(one[0]) else os.path.relpath(one[0], top) for one in told]
    assert dict(zip(EXPECTED, mounts, strict=True)) == EXPECTED
    at = dict(zip(EXPECTED, told, strict=True))
    assert at["part/b"][1] == at["inside/link"][1] != at["disk"][1]
    assert at["part/b"][1].endswith(":/a/b")
    assert at["part"][1] == at["disk/a"][1]
    assert at["same"][1].endswith(f"{top}/inside")
    assert at["itself"][1].endswith(f"{top}/itself")
    assert at["a b/deep"][2:] == ["tmpfs", "top"]
    assert at["over"][2:] == ["overlay", "all"]


def test_a_mount_is_reported_as_the_kernel_follows_it(tmp_path: Path, namespace: list[str]) -> None:
    """Bind mounts of a part are found, and hidden mounts are not."""
    paths = [os.path.join(tmp_path, path) for path in EXPECTED]
    command = [*namespace, f'{MOUNT} shift; exec "$@"', "sh", str(tmp_path)]
    told = subprocess.run([*command, sys.executable, "-c", LOOK, *paths], capture_output=True)
    assert told.returncode == 0, told.stderr
    check(json.loads(told.stdout), tmp_path)


@pytest.mark.remote
def test_a_mount_is_reported_as_the_kernel_follows_it_on_another_host(
    serve: Callable[..., Sshd], tmp_path: Path
) -> None:
    """The results are those of this machine."""
    if os.geteuid() != 0:
        pytest.skip("a server in a mount namespace of its own is root's")
    server = serve(
        below=["unshare", "-m", "sh", "-ec", f'{MOUNT} shift; exec "$@"', "sh", tmp_path]
    )
    with reached(server) as host:
        facts = [host.look([os.path.join(tmp_path, path)])[0] for path in EXPECTED]
    check([[fact.mount, fact.place, fact.filesystem, fact.source] for fact in facts], tmp_path)


def test_what_went_meanwhile_has_no_mount_point() -> None:
    """The previous mount point is not reported either."""
    at = Stat("file", 1, stamp="s", device=7)
    told = detailed(["/f"], [at], ["/f", "", "//", ""])["/f"]
    assert (told.mount, told.place, told.free) == ("", "", 0)
