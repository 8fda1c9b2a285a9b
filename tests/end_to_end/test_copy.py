"""Copies of images to and from another host, and what is left after a kill or a cut connection."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from cards import besides_cards
from conftest import served
from waiting import wait_for

from csf_backup_plugin.exit_codes import ExitCode
from csf_simulator.simulator import Simulator
from sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sshd import Sshd

    from csf_simulator.simulator import Result

NAME = "it's a $(copy) of Größe.img"
# An ssh whose second login, for the bytes, waits until it may continue.
HOLDING = """#!/bin/sh
echo login >> {notes}
if [ "$(wc -l < {notes})" = 2 ]; then
  : > {held}
  until [ -e {go} ]; do sleep 0.02; done
fi
exec {ssh} "$@"
"""


class Copying:
    """A site with an image, and a directory for copies.

    Args:
        site: the site; it may be on another host.
        to: the host that copies go to.
        root: where the copies are.
    """

    def __init__(self, site: Site, to: str, root: Path) -> None:
        self.site = site
        self.to = to
        self.directory = root / "copies"
        self.directory.mkdir()
        site.image = str(site.images / NAME)
        assert site.backup().exit_code == 0
        self.copy = str(self.directory / NAME)

    @property
    def command(self) -> list[str]:
        """The command."""
        image = f"{self.site.host}:{self.site.image}"
        to = f"{self.to}:{self.directory}"
        return ["csf", "admin_database_copy", "-image-file", image, "-to", to]

    def run(self, *options: str, **variables: str) -> Result:
        """Make the copy."""
        return self.site.sim.run([*self.command, *options], env=variables)

    def on_copy(self, command: str, *options: str) -> Result:
        """Run another command on the copy."""
        image = f"{self.to}:{self.copy}"
        return self.site.sim.run(["csf", command, "-image-file", image, *options])

    def files(self) -> set[str]:
        """Return the endings of the names of the copy's files."""
        return {name.removeprefix(NAME) for name in besides_cards(self.directory)}

    def check(self, made: Result) -> None:
        """Check that a copy was made, and is complete."""
        assert made.exit_code == 0, made.stderr
        assert self.files() == {"", ".dbn", ".receipt.json"}
        verified = self.on_copy("admin_database_verify")
        assert verified.exit_code == 0, verified.stderr


@pytest.fixture(params=["localhost", pytest.param("remote", marks=pytest.mark.remote)])
def copying(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Copying]:
    """Return a site on this machine, to be copied to this machine and to another."""
    with Simulator(str(tmp_path / "home")) as sim, served(tmp_path, sim) as server:
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        yield Copying(Site(sim, tmp_path), request.param, tmp_path)


def test_a_copy_is_restored_like_its_original(copying: Copying, tmp_path: Path) -> None:
    """A copy can be verified and drilled, and restores the databases of the backup."""
    site, before = copying.site, copying.site.databases()
    copying.check(copying.run())
    drilled = copying.on_copy("admin_database_drill", "-scratch-dir", str(tmp_path))
    assert drilled.exit_code == 0, drilled.stderr
    for path in before:
        os.unlink(path)
    restored = copying.on_copy("admin_database_restore", "-database", site.master, "-yes")
    assert restored.exit_code == 0, restored.stderr
    assert site.databases() == before
    assert site.sim.check(site.master) == []


@pytest.mark.remote
def test_a_copy_comes_from_another_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image of another host is copied to this machine, or to another directory of that host."""
    with Simulator(str(tmp_path / "home")) as sim, served(tmp_path, sim) as server:
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        site = Site(sim, tmp_path, "remote")
        here = Copying(site, "localhost", tmp_path)
        logins = server.logins()
        here.check(here.run())
        assert server.logins() - logins == 2
        (tmp_path / "there").mkdir()
        there = Copying.__new__(Copying)
        there.site, there.to, there.directory = site, "remote", tmp_path / "there"
        there.copy = str(there.directory / NAME)
        logins = server.logins()
        made = there.run()
        assert server.logins() - logins == 3
        there.check(made)


class Held:
    """A copy to or from another host, which is paused when its bytes are to be sent.

    Args:
        copying: what is copied.
        server: by which the host is reached.
        root: where notes are.
    """

    def __init__(self, copying: Copying, server: Sshd, root: Path) -> None:
        self.copying = copying
        self.server = server
        self._go, held = root / "go", root / "held"
        ssh = root / "holding"
        notes = root / "notes"
        text = HOLDING.format(notes=notes, held=held, go=self._go, ssh=server.command)
        ssh.write_text(text)
        ssh.chmod(0o755)
        environment = copying.site.sim.home.environment(os.environ)
        self._said = root / "said"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                copying.command, env={**environment, "CSF_BACKUP_SSH": str(ssh)}, stderr=said
            )
        wait_for(held.exists)

    def go_on(self) -> None:
        """Let the copy continue."""
        self._go.touch()

    def ended(self) -> tuple[int, str]:
        """Return how the copy has ended, and what it has printed."""
        status = self.process.wait()
        return status, self._said.read_text()


@pytest.fixture(params=["to", "from"])
def held(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Held]:
    """Return a paused copy to or from another host."""
    with Simulator(str(tmp_path / "home")) as sim, served(tmp_path, sim) as server:
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        hosts = ("localhost", "remote") if request.param == "to" else ("remote", "localhost")
        copying = Copying(Site(sim, tmp_path, hosts[0]), hosts[1], tmp_path)
        made = Held(copying, server, tmp_path)
        yield made
        made.go_on()
        made.process.kill()
        made.process.wait()


@pytest.mark.remote
def test_a_killed_copy_is_reported_and_the_next_takes_its_place(held: Held) -> None:
    """No command takes the files of a killed copy for a backup; the next copy replaces them."""
    copying = held.copying
    busy = copying.run("-wait", "0")
    assert busy.exit_code == ExitCode.LOCK_BUSY
    assert "is being made already: a copy of " in busy.stderr
    held.process.kill()
    held.go_on()
    assert held.ended()[0] == -signal.SIGKILL
    assert ".copying" in copying.files()
    assert ".receipt.json" not in copying.files()
    at, image = f"{copying.to}:{copying.directory}", f"{copying.to}:{copying.copy}"
    site = copying.site
    backup = ["csf", "admin_database_backup", "-database", site.master, "-image-file", image]
    for refused in (
        copying.on_copy("admin_database_verify"),
        copying.on_copy("admin_database_prove"),
        site.sim.run(backup),
        site.sim.run(["csf", "admin_database_verify", "-image-dir", at]),
    ):
        assert refused.exit_code not in (0, 1)
        assert " a copy of " in refused.stderr
        assert "csf admin_database_copy -image-file " in refused.stderr
    copying.check(copying.run())


@pytest.mark.remote
def test_a_copy_that_is_asked_to_end_leaves_nothing(held: Held) -> None:
    """A copy that gets SIGTERM removes everything it has made."""
    held.process.terminate()
    status, said = held.ended()
    assert status == 128 + signal.SIGTERM
    assert "What this run had created was removed; nothing else was changed." in said
    assert held.copying.files() == set()


@pytest.mark.remote
def test_a_copy_whose_connection_is_cut_is_made_again(held: Held) -> None:
    """A cut copy is made again.

    If the lock is lost with the connection, it fails, and a new copy works.
    """
    held.server.cut()
    held.go_on()
    status, said = held.ended()
    if held.copying.to == "localhost":
        assert status == 0, said
    else:
        assert status == ExitCode.HOST_UNREACHABLE, said
        assert held.copying.files() >= {".copying", ".copying.part"}
        assert all(f"{NAME}{name}" in said for name in held.copying.files())
    held.copying.check(held.copying.run())
