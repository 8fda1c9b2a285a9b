"""Hosts of every kind, for the contract that all of them keep."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.hosts.local.host import LocalHost
from doubles import MemoryHost
from memory_path import MemoryPath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pyfakefs.fake_filesystem import FakeFilesystem

    from csf_backup_plugin.hosts.protocol.host import Host
    from memory_path import Home

# What a user's start-up files may print, which must not be taken for an answer.
NOISY = """#!/bin/sh
echo 'Welcome!'; echo 'No such file or directory: permission denied' >&2
exec {shell} -c "$SSH_ORIGINAL_COMMAND"
"""


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server whose users have an empty home, and `true` for an osbackup."""
    home = tmp_path_factory.mktemp("home")
    path = os.environ["PATH"]
    server = Sshd(tmp_path_factory.mktemp("sshd"), {"HOME": str(home), "PATH": path})
    server.start()
    yield server
    server.stop()


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], None]:
    """Return a function that makes a program in the test's directory `bin` from a script."""

    def write(name: str, script: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return write


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Return a function that starts a server for the test, with homes in the test's directory."""
    servers: list[Sshd] = []

    def start(settings: str = "", below: Sequence[str] = (), **variables: str) -> Sshd:
        directory = tmp_path / f"sshd{len(servers)}"
        directory.mkdir()
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **variables}
        servers.append(Sshd(directory, environment, settings, below))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.cut()
        server.stop()


@pytest.fixture(params=["dash", "bash", "busybox sh", "tcsh"])
def noisy(request: pytest.FixtureRequest, tmp_path: Path, serve: Callable[..., Sshd]) -> Sshd:
    """A server whose users have one of several login shells, which prints text of its own."""
    script = tmp_path / "login"
    script.write_text(NOISY.format(shell=request.param))
    script.chmod(0o755)
    return serve(f"ForceCommand {script}")


@pytest.fixture(params=["local", "ssh", "memory"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """A host of each kind; the double of the other tests keeps the contract, too."""
    if request.param == "memory":
        if lacking := request.node.get_closest_marker("not_in_memory"):
            pytest.skip(f"a host in memory has no {lacking.args[0]}")
        yield MemoryHost({}, ["/home"])
    elif request.param == "local":
        yield LocalHost()
    else:
        with reached(request.getfixturevalue("sshd")) as remote:
            yield remote


@pytest.fixture
def home(host: Host, tmp_path: Path) -> Home:
    """An empty directory of the host."""
    return MemoryPath(host, "/home") if isinstance(host, MemoryHost) else tmp_path


@pytest.fixture
def synced(fs: FakeFilesystem, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of names that are fsynced, in order; the file system has /d."""
    fs.create_dir("/d")
    names: list[str] = []

    def fsync(descriptor: int) -> None:
        names.append(str(fs.get_open_file(descriptor).get_object().name))  # type: ignore[union-attr]

    monkeypatch.setattr(os, "fsync", fsync)
    return names


@pytest.fixture(params=["dash", "bash", "busybox sh"])
def any_shell(request: pytest.FixtureRequest, tmp_path: Path, serve: Callable[..., Sshd]) -> Sshd:
    """Return a server whose host has one of several shells as sh."""
    sh = tmp_path / "bin" / "sh"
    sh.parent.mkdir()
    sh.write_text(
        f'#!/usr/bin/{request.param.split()[0]}\nexec /usr/bin/env {request.param} "$@"\n'
    )
    sh.chmod(0o755)
    return serve(PATH=f"{sh.parent}:{os.environ['PATH']}")
