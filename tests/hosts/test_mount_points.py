"""Mount points, in a mount namespace of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.hosts.protocol import Facts
from csf_backup_plugin.hosts.ssh.details import detailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# $1 is a directory. One file system in it is mounted twice, once as a whole and once in part; the
# part of a file system that is mounted within that itself has no device of its own.
MOUNT = """
cd "$1"
mkdir disk part same inside
mount -t tmpfs none disk
mkdir -p disk/a/b inside/d; touch disk/a/b/f
mount --bind disk/a part
mount --bind inside same
ln -s ../part/b inside/link; ln -s ../part/b/f inside/file
"""
PATHS = ["disk", "disk/a", "disk/a/b/f", "part", "part/b", "part/b/f", "same", "same/d"]
PATHS += ["inside/link", "inside/file"]
EXPECTED = [*["disk"] * 3, *["part"] * 3, *[""] * 2, *["part"] * 2]
LOOK = """
import sys
from csf_backup_plugin.hosts.local import LocalHost
print(*(fact.mount for fact in LocalHost().look(sys.argv[1:])), sep="\\n")
"""


def test_a_bind_mount_is_a_mount_point(tmp_path: Path, namespace: list[str]) -> None:
    """If its file system is another one than that around it, as for stat(1)."""
    real = [os.path.join(tmp_path, path) for path in [*PATHS[:8], "part/b", "part/b/f"]]
    paths = [os.path.join(tmp_path, path) for path in PATHS]
    script = f'{MOUNT} at=$1; shift; stat -c %m -- {" ".join(real)}; exec "$@"'
    command = [*namespace, script, "sh", str(tmp_path), sys.executable, "-c", LOOK, *paths]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert told[:10] == told[10:]
    around = os.path.dirname(tmp_path)
    found = ["" if around.startswith(mount) else os.path.basename(mount) for mount in told[10:]]
    assert found == EXPECTED


@pytest.mark.remote
def test_a_bind_mount_is_a_mount_point_on_another_host(
    serve: Callable[..., Sshd], tmp_path: Path
) -> None:
    """The same ones."""
    if os.geteuid() != 0:
        pytest.skip("a server in a mount namespace of its own is root's")
    server = serve(
        below=["unshare", "-m", "sh", "-ec", f'{MOUNT} shift; exec "$@"', "sh", tmp_path]
    )
    paths = [os.path.join(tmp_path, path) for path in PATHS]
    with reached(server) as host:
        told = [host.look([path])[0].mount for path in paths]
    around = os.path.dirname(tmp_path)
    assert ["" if around.startswith(one) else os.path.basename(one) for one in told] == EXPECTED


def test_what_went_meanwhile_has_no_mount_point() -> None:
    """Its devices cannot be told any more."""
    fact = Facts("file", 1, "/f", writable=False, free=0, device=7, disks=frozenset(), stamp="s")
    (told,) = detailed([fact], ["/f", "", "0", "0", "", ""])
    assert (told.mount, told.free) == ("", 0)
