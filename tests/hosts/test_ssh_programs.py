"""Programs on another host: they run in the user's locale, and their progress is reported."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from masks import masks
from sshd import Sshd, reached

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts import ssh
from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.hosts.ssh.login import Login

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.remote


def test_programs_get_the_users_locale(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """Programs run in the user's locale; only output that we parse is in English."""
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
    """Signals that the login shell ignores are reset for programs, and exit statuses are right."""
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
    """Keep-alive output and messages of our shells do not get into a program's output."""
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


def needed() -> list[str]:
    """Return the programs that a host must have."""
    text = (Path(ssh.__file__).parent / "loop.sh").read_text()
    found = re.search(r"for program in (base64 [^;]*);", text)
    assert found
    return found[1].replace("\\\n", "").split()


def test_a_shell_that_is_not_enough_is_told_in_words() -> None:
    """A missing feature of a shell is described, since it has no program name."""
    login = Login("remote", "ssh", Cancellation())
    refused = login.refusal(Answer(1, b" GNU-head test-ef byte-sh", b""), b"")
    assert refused
    assert refused.what == (
        "Host remote cannot be used: it has no GNU head, sh whose test knows -ef, sh that counts "
        "bytes, and not characters, in the C locale."
    )


@pytest.mark.parametrize(
    ("program", "named"),
    [
        *((name, name) for name in ("base64", "flock", "setsid", "xargs")),
        *((name, f"GNU {name}") for name in ("stat", "find", "head", "dd")),
    ],
)
def test_a_host_that_lacks_a_program_is_told_before_anything_is_done(
    serve: Callable[..., Sshd], tmp_path: Path, program: str, named: str
) -> None:
    """A missing program, or one of busybox, is an error before anything is changed."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", *needed()):
        (tmp_path / "bin" / name).symlink_to(_path_of(name))
    (tmp_path / "bin" / program).unlink()
    if named != program:
        (tmp_path / "bin" / program).symlink_to(_path_of("busybox"))
    server = serve(PATH=str(tmp_path / "bin"))
    with reached(server) as host, pytest.raises(HostUnreachable) as caught:
        host.make_directories([str(tmp_path / "made")])
    assert caught.value.what == f"Host remote cannot be used: it has no {named}."
    assert caught.value.exit_code == 30
    assert not (tmp_path / "made").exists()
    assert server.logins() == 1


def test_how_far_a_checksum_is_is_told(
    serve: Callable[..., Sshd], tmp_path: Path, program: Callable[[str, str], None]
) -> None:
    """Progress is the bytes that openssl has read; a fake one waits until they are reported."""
    go, image, steps = tmp_path / "go", tmp_path / "image", list[int]()
    (tmp_path / "bin").mkdir()
    read = "dd bs=1000 count=1 of=/dev/null status=none"
    program("openssl", f"{read}; while [ ! -e {go} ]; do sleep 0.02; done; exec sha256sum")
    image.write_bytes(bytes(3000))

    def heard(step: int) -> None:
        steps.append(step)
        if step:
            go.touch()

    with reached(serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")) as host:
        host.digest(str(image), heard)
    assert steps == sorted(steps)
    assert 1000 in steps


def test_without_openssl_there_is_sha256sum(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """Without openssl, sha256sum computes the same checksum."""
    (tmp_path / "bin").mkdir()
    for name in ("sh", "sha256sum", *needed()):
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
