"""A host that another program than ssh reaches, as docs/other-hosts.md shows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from documents import block

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes a podman from a script; the page's program calls it."""
    program = tmp_path / "to-container"
    program.write_text(block("a program in place of ssh"))
    program.chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_SSH", str(program))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def write(script: str) -> None:
        (tmp_path / "podman").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "podman").chmod(0o755)

    return write


def test_a_container_is_a_host(podman: Callable[[str], None], tmp_path: Path) -> None:
    """Files are written and read, and programs are run there."""
    podman('[ "$1 $2 $3" = "exec -i box" ] && shift 3 && exec "$@"')
    path = str(tmp_path / "a file")
    with connect("box", Cancellation()) as host:
        host.create(path, b"some\n")
        assert host.read(path) == b"some\n"
        assert host.run(["cat", path], 60).output == b"some\n"


def test_a_container_that_is_not_there_is_unreachable(podman: Callable[[str], None]) -> None:
    """The message has the program's own words."""
    podman("echo 'Error: no such container' >&2; exit 125")
    refused = pytest.raises(HostUnreachable, match="Host box cannot be reached: Error: no such")
    with refused, connect("box", Cancellation()) as host:
        host.machine()
