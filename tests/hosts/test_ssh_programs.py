"""Programs on another host: in the user's locale, and told how far they are."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from masks import masks
from sshd import Sshd, reached

from csf_backup_plugin.hosts.ssh import programs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


pytestmark = pytest.mark.remote


def test_programs_get_the_users_locale(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """Only what we read ourselves is in English."""
    server = serve(LC_ALL="C.UTF-8")
    argv, record = ["sh", "-c", "echo $LC_ALL $csf_locale"], str(tmp_path / "run")
    with reached(server) as host:
        assert host.run(argv, 30).output == b"C.UTF-8\n"
        each = ["sh", "-c", 'echo "$0 $LC_ALL"']
        assert [end.output for end in host.run_each(each, ["a"], 30)] == [b"a C.UTF-8\n"]
        with host.start(argv, "/no", None, record) as running:
            while not (completed := running.poll()[0]):
                pass
        assert completed.output == b"C.UTF-8\n"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_programs_ignore_and_block_no_signal(
    serve: Callable[..., Sshd], tmp_path: Path, shell: str
) -> None:
    """Whatever the login shell ignores; how they ended is known all the same."""
    login, record = tmp_path / "login", str(tmp_path / "run")
    login.write_text(
        f"#!/bin/sh\ntrap '' CHLD TERM HUP INT QUIT PIPE USR1\n"
        f'umask 777; exec {shell} -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    login.chmod(0o755)
    states = ["sh", "-c", "exec grep Sig[BI] /proc/self/status"]
    with reached(serve(f"ForceCommand {login}")) as host:
        said = [host.run(states, 30), *host.run_each(states, ["sh"], 30)]
        with host.start(states, "/no", None, record) as running:
            while not (completed := running.poll()[0]):
                pass
        for one in (*said, completed):
            assert masks(one.output) == [0, 0]
        assert host.run(["sh", "-c", "exit 7"], 30).status == 7
        assert host.run(["sh", "-c", "umask"], 30).output.endswith(b"077\n")
        with pytest.raises(TimeoutError):
            host.run(["sleep", "60"], 0.5)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_what_our_shells_say_is_not_the_programs(
    serve: Callable[..., Sshd], tmp_path: Path, shell: str
) -> None:
    """Neither that we are still there nor that one of them was ended."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").symlink_to(_path_of(shell))
    server = serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with reached(server) as host:
        script = "echo one; echo two >&2; sleep 2.5; echo three >&2; exit 3"
        assert host.run(["sh", "-c", script], 30) == (3, b"one\n", b"two\nthree\n")
        assert [*host.run_each(["sh", "-c", "echo two >&2"], ["x"], 30)] == [(0, b"two\n", b"")]
        with host.start(["sh", "-c", script], "/no", None, str(tmp_path / "run")) as running:
            while not (completed := running.poll()[0]):
                pass
        assert completed == (3, b"one\ntwo\nthree\n", b"")


def test_how_far_a_checksum_is_is_told(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the bytes it has read."""
    often = programs._DIGEST.replace("sleep 1", "sleep 0.02")
    assert often != programs._DIGEST
    monkeypatch.setattr(programs, "_DIGEST", often)
    size = 400_000_000
    steps: list[int] = []
    with open(tmp_path / "image", "wb") as file:
        file.truncate(size)
    with reached(sshd) as host:
        host.digest(str(tmp_path / "image"), steps.append)
    assert steps == sorted(steps)
    assert any(0 < step < size for step in steps)


@pytest.mark.parametrize(
    ("errors", "steps"), [(b"", []), (b"\nmark\n", []), (b"\nmark\n5\n12\n", [12])]
)
def test_the_last_number_that_was_said_counts(errors: bytes, steps: list[int]) -> None:
    """There may be none yet."""
    told: list[int] = []
    programs.tell(errors, told.append)
    assert told == steps


def test_without_openssl_there_is_sha256sum(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """Which says the same."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "env", "head", "sha256sum", "stat", "setsid", "sleep", "cat", "sed"):
        (tmp_path / "bin" / name).symlink_to(_path_of(name))
    server = serve(PATH=str(tmp_path / "bin"))
    (tmp_path / "file").write_bytes(b"data")
    with reached(server) as host:
        found = host.digest(str(tmp_path / "file"), lambda _: None)
    assert found == (4, hashlib.sha256(b"data").hexdigest())


def _path_of(name: str) -> str:
    path = shutil.which(name)
    assert path is not None
    return path
