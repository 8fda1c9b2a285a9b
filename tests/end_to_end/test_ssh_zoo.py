"""The ssh hosts and configurations that users have: a backup and its verification with each.

If a backup is impossible, the exit code is 30, the message names the reason, and nothing is left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import needed
import pytest
from cards import besides_cards
from conftest import Tools
from far_site import Ended, FarSite, far_site
from proxy import NEVER
from sshd import INTERACTIVE, LOCAL, Sshd

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.remote

PLAIN = 54321  # the uid of a user of the host who runs nothing else
# Runs a server with another user database.
WITH_USERS = ("unshare", "-m", "sh", "-ec", 'mount --bind "$0" /etc/passwd; exec "$@"')
# What start-up files for interactive users do.
NOISY = {
    "prints": "echo 'Welcome!'; echo 'No such file or directory' >&2; printf 'no end of line'\n",
    "reads": 'read -r answer; echo "You said $answer"\n',
    "leaves": "sleep 300 &\n",
    "goes-on": "( while sleep 0.2; do echo still here; echo still here >&2; done ) &\n",
}
# A /tmp of its own for the host, without what the directories $1 and so on, up to --, are.
OTHER_TMP = """
mount --bind /tmp /mnt
mount -t tmpfs -o size=16k,mode=1777 none /tmp
while [ "$1" != -- ]; do mkdir "$1"; mount --bind "/mnt/${1#/tmp/}" "$1"; shift; done
shift
eval "$0"
exec "$@"
"""
TMP = {
    "full": "cat /dev/zero > /tmp/fill 2>/dev/null || :",
    "read-only": "mount -o remount,ro /tmp",
}
SMALL_DISK = 'mount -t tmpfs -o size=2m none "$0"; exec "$@"'
FILLING = """#!/bin/sh
cat /dev/zero > "$5"
"""


def check_backup(site: FarSite, **variables: str) -> None:
    """Check that a backup is made and verified, with one start of osbackup."""
    made = site.backup(**{**site.variables, "CSF_BACKUP_SSH": site.server.command, **variables})
    assert made.exit_code == 0, made.stderr
    assert site.starts() == 1
    verified = site.on_image("admin_database_verify", **variables)
    assert verified.exit_code == 0, verified.stderr


def check_refused(site: FarSite, *words: str) -> None:
    """Check that a backup is refused with the reason after one login, and that nothing is left."""
    refused = site.backup()
    assert refused.exit_code == 30, refused.stderr
    assert any(word in refused.stderr for word in words), refused.stderr
    assert os.listdir(site.images) == []
    assert site.starts() == 0
    assert site.server.logins() == 1


def users(root: Path, shell: str) -> list[str]:
    """Return the command that gives users of a server a shell; a user `plain` exists."""
    needed.root()
    lines = []
    for line in Path("/etc/passwd").read_text().splitlines():
        fields = line.split(":")
        lines.append(":".join([*fields[:5], str(root), shell]) if fields[2] == "0" else line)
    path = root / "passwd"
    path.write_text("\n".join([*lines, f"plain:x:{PLAIN}:{PLAIN}::{root}:{shell}", ""]))
    return [*WITH_USERS, str(path)]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarSite]:
    """Return a site on another host with the usual settings."""
    with far_site(tmp_path) as made:
        yield made


def configure(server: Sshd, text: str) -> None:
    """Add lines to the ssh configuration for a server."""
    config = server.directory / "ssh_config"
    config.write_text(f"{config.read_text()}{text}\n")


@pytest.mark.parametrize(
    ("shell", "package"), [("tcsh", "tcsh"), ("dash", "dash"), ("busybox", "busybox")]
)
def test_login_shells(tmp_path: Path, shell: str, package: str) -> None:
    """Any login shell works."""
    path = needed.program(shell, package)
    if shell == "busybox":
        (tmp_path / "ash").symlink_to(path)
        path = str(tmp_path / "ash")
    with far_site(tmp_path, below=users(tmp_path, path)) as site:
        check_backup(site)


@pytest.mark.parametrize("noise", NOISY)
def test_start_up_files(tmp_path: Path, noise: str) -> None:
    """They may print, read, and start background processes, which nothing waits for."""
    (tmp_path / ".bashrc").write_text(NOISY[noise])
    with far_site(tmp_path, below=users(tmp_path, needed.program("bash", "bash"))) as site:
        check_backup(site)


def test_an_account_without_a_shell(tmp_path: Path) -> None:
    """The message has the text that the account prints."""
    with far_site(tmp_path, below=users(tmp_path, needed.program("nologin", "login"))) as site:
        check_refused(site, "This account is currently not available.")


def test_a_forced_command_that_runs_what_is_asked(tmp_path: Path) -> None:
    """A command that runs what is asked, such as one that logs it, works."""
    forced = (
        'ForceCommand echo "$SSH_ORIGINAL_COMMAND" >> "$HOME/log"; eval "$SSH_ORIGINAL_COMMAND"'
    )
    with far_site(tmp_path, forced) as site:
        check_backup(site)


def test_a_forced_command_that_does_something_else(tmp_path: Path) -> None:
    """The message has the text that the command prints."""
    with far_site(tmp_path, "ForceCommand echo 'Only sftp is allowed here.'; exit 0") as site:
        check_refused(site, "Only sftp is allowed here.")


@pytest.mark.parametrize(
    "setting", [*INTERACTIVE, "\n  ".join(LOCAL)], ids=lambda setting: setting.split()[0]
)
def test_settings_for_work_at_a_terminal(far: FarSite, tmp_path: Path, setting: str) -> None:
    """They have no effect."""
    configure(far.server, f"  {setting.format(tmp_path)}")
    with ended_master(far):
        check_backup(far)


def test_a_control_master_of_the_users_own_that_is_there(far: FarSite, tmp_path: Path) -> None:
    """A backup works whether or not the control master is used."""
    configure(far.server, f"  ControlMaster auto\n  ControlPath {tmp_path}/m\n  ControlPersist 60")
    with ended_master(far):
        subprocess.run([*far.server.command.split(), "remote", "true"], check=True)
        check_backup(far)


@contextlib.contextmanager
def ended_master(site: FarSite) -> Iterator[None]:
    """At the end, stop the control master that a user's configuration has started."""
    try:
        yield
    finally:
        argv = [*site.server.command.split(), "-O", "exit", "remote"]
        subprocess.run(argv, check=False, capture_output=True)


@pytest.mark.parametrize("options", ["-vvv", "-tt"])
def test_options_of_the_users_own(far: FarSite, options: str) -> None:
    """ssh's own messages are not taken for answers, and options for terminals are overridden."""
    check_backup(far, CSF_BACKUP_SSH=f"{far.server.command} {options}")


def test_a_jump_host(far: FarSite, tmp_path: Path) -> None:
    """A jump host in the user's configuration is used."""
    (tmp_path / "jump").mkdir()
    jump = Sshd(tmp_path / "jump", {"HOME": str(tmp_path)})
    jump.start()
    try:
        stanza = (jump.directory / "ssh_config").read_text().replace("remote", "jump")
        known = jump.directory / "known_hosts"
        known.write_text(known.read_text().replace("remote", "jump"))
        configure(far.server, f"  ProxyJump jump\n{stanza}")
        check_backup(far)
        assert jump.logins() == far.server.logins() == 2
    finally:
        jump.cut()
        jump.stop()


@pytest.mark.parametrize("state", TMP)
def test_no_room_for_temporary_files(tmp_path: Path, state: str) -> None:
    """A backup works if the host's /tmp is full or not writable."""
    needed.root()
    own = {Path(path).resolve() for path in (tmp_path, sys.prefix, sys.base_prefix)}
    kept = {f"/tmp/{path.parts[2]}" for path in own if path.parts[1] == "tmp"}
    below = ["unshare", "-m", "sh", "-ec", OTHER_TMP, TMP[state], *kept, "--"]
    with far_site(tmp_path, below=below) as site:
        check_backup(site)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[FarSite]:
    """Return a site whose images go to a small disk, which only the host has."""
    needed.root()
    disk = tmp_path / "disk"
    disk.mkdir()
    below = ["unshare", "-m", "sh", "-ec", SMALL_DISK, str(disk)]
    with far_site(tmp_path, below=below) as site:
        site.images = disk
        site.image = str(disk / "a.img")
        yield site


def on_host(site: FarSite, command: str) -> str:
    """Run a command on the host; return its output."""
    argv = [*site.server.command.split(), "remote", command]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def test_a_disk_that_osbackup_fills(small: FarSite, tmp_path: Path) -> None:
    """The failed backup leaves nothing on the disk."""
    program = tmp_path / "filling"
    program.write_text(FILLING)
    program.chmod(0o755)
    failed = small.backup(CSF_BACKUP_OSBACKUP=str(program))
    assert failed.exit_code == 40, failed.stderr
    assert "No space left on device" in failed.stderr
    assert on_host(small, f"ls -A {small.images}") == ""
    check_backup(small)


def test_a_disk_that_is_full(small: FarSite) -> None:
    """A backup is refused, but an image on the disk can be verified."""
    check_backup(small)
    on_host(small, f"cat /dev/zero > {small.images}/fill 2>/dev/null || :")
    before = on_host(small, f"ls -lA {small.images}")
    verified = small.on_image("admin_database_verify")
    assert verified.exit_code == 0, verified.stderr
    small.image += "2"
    assert small.backup().exit_code == 11
    assert on_host(small, f"ls -lA {small.images}") == before


@pytest.fixture
def root_for_all() -> Iterator[Path]:
    """Return a directory that every user can reach."""
    needed.root()
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def backup_of_a_plain_user(root: Path, processes: int) -> tuple[FarSite, Ended, int]:
    """Return a site, its backup by a user with a limit of processes, and osbackup's starts."""
    tools = Tools(root / "bin")
    prlimit = needed.program("prlimit", "util-linux")
    forced = f'ForceCommand exec {prlimit} --nproc={processes} sh -c "$SSH_ORIGINAL_COMMAND"'
    below = users(root, needed.program("dash", "dash"))
    with far_site(root, forced, below) as site:
        theirs = [str(root / name) for name in ("home", "images", "bin")]
        subprocess.run(["chown", "-R", f"{PLAIN}:{PLAIN}", *theirs], check=True)
        for name in ("osbackup", "osrestore"):
            site.variables[f"CSF_BACKUP_{name.upper()}"] = str(tools.directory / name)
        site.variables["CSF_BACKUP_SSH"] += " -l plain"
        ended = site.struck(site.command(), NEVER)
        site.check_settled()
        return site, ended, len(tools.calls)


def test_a_user_who_may_have_no_more_processes(root_for_all: Path) -> None:
    """The host runs nothing for us, and the message has the reason."""
    site, refused, starts = backup_of_a_plain_user(root_for_all, 2)
    assert refused.status == 30, refused.said
    assert "fork" in refused.said
    assert os.listdir(site.images) == []
    assert starts == 0


@pytest.mark.parametrize("processes", [3, 4, 8, 12, 100])
def test_a_user_who_may_have_few_processes(root_for_all: Path, processes: int) -> None:
    """The backup is proven, or it failed, and the message names all it has left."""
    site, ended, starts = backup_of_a_plain_user(root_for_all, processes)
    left = {str(site.images / name) for name in besides_cards(site.images)}
    assert starts <= 1
    if ended.status == 0:
        assert starts == 1
        assert f"{site.image}.receipt.json" in left
    else:
        assert processes < 100, ended.said
        assert ended.status in (30, 31, 40, 41), ended.said
        assert all(path in ended.said for path in left), (left, ended.said)
