"""An application server that is stopped while osbackup runs, even if processes are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from application_server import ApplicationServer
from scale import scaled
from waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site


@pytest.fixture
def server(tmp_path: Path) -> ApplicationServer:
    """Return a running application server."""
    return ApplicationServer(tmp_path / "server")


def test_a_server_is_stopped_for_a_backup_and_for_a_restore(
    site: Site, server: ApplicationServer
) -> None:
    """A dry run does not stop it, and no file is left beside the databases."""
    before = {*os.listdir(site.repository)}
    assert site.backup("-dry-run", "-quiesce", server.program).exit_code == 0
    assert server.calls == []
    made = site.backup("-quiesce", server.program, "-json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["quiesce"] == server.program
    assert (server.calls, server.runs) == (["begin", "end"], True)
    restored = site.restore("-quiesce", server.program, "-yes")
    assert restored.exit_code == 0, restored.stderr
    assert (server.calls, server.runs) == (["begin", "end"] * 2, True)
    added = {f"{os.path.basename(site.master)}.{name}" for name in ("manifest", "lock")}
    assert {*os.listdir(site.repository)} == before | added


def test_a_server_that_cannot_be_stopped_is_no_backup(
    site: Site, server: ApplicationServer
) -> None:
    """The message has the program's output, and says that the server was started again."""
    server.do("begin.after", "echo cannot; exit 3")
    failed = site.backup("-quiesce", server.program)
    assert failed.exit_code == 21
    assert f"{server.program} begin {site.master} failed: exit 3" in failed.stderr
    assert "    cannot\n" in failed.stderr
    assert f"Then {server.program} end {site.master} was called, and succeeded." in failed.stderr
    assert os.listdir(site.images) == []
    assert server.runs


def test_a_program_that_is_not_there_is_reported_before_anything_is_made(
    local_site: Site, server: ApplicationServer
) -> None:
    """A missing program is reported before anything is created, also one from the environment."""
    before = local_site.listing()
    assert local_site.backup("-quiesce", f"{server.program}.no").exit_code == 32
    assert local_site.backup("-dry-run", CSF_BACKUP_QUIESCE=server.master).exit_code == 32
    assert local_site.backup("-quiesce", "quiesce").exit_code == 2
    assert local_site.backup(CSF_BACKUP_QUIESCE_TIMEOUT="soon").exit_code == 2
    assert {*local_site.listing()} - {*before} <= {f"{local_site.master}.lock"}


def test_a_server_that_cannot_be_started_is_a_warning_until_it_is(
    local_site: Site, server: ApplicationServer
) -> None:
    """The backup succeeds; each later command tries again, except a restore that fails."""
    server.do("end.before", "echo cannot; exit 4")
    made = local_site.backup("-strict", CSF_BACKUP_QUIESCE=server.program)
    assert made.exit_code == 3
    assert f"{server.program} end {local_site.master} failed on localhost: exit 4" in made.stderr
    assert os.path.exists(f"{local_site.image}.receipt.json")
    owed = f"{server.program} end {local_site.master} has been owed since"
    assert owed in local_site.restore("-yes").stderr
    assert not server.runs
    server.do("end.before", "")
    refused = local_site.backup()  # since the image exists
    assert refused.exit_code == 10
    assert server.runs
    assert not os.path.exists(f"{local_site.master}.quiesced")


def killed(site: Site, server: ApplicationServer, when: str, *, with_guardian: bool) -> None:
    """Run a backup and kill its csf once, at a point of the program or of osbackup."""
    here, run = site.images.parent, f"{site.image}.run"
    guardian = f"$(cut -d' ' -f3 '{run}/pid')" if with_guardian else ""
    kills = f"""
[ -e '{here}/once' ] || {{
  : >'{here}/once'
  until [ -s '{here}/csf' ]; do sleep 0.02; done
  kill -9 $(cat '{here}/csf') {guardian}
}}"""
    environment = {**site.sim.home.environment(os.environ), "CSF_BACKUP_QUIESCE": server.program}
    if when == "osbackup":
        slow = here / "osbackup"
        slow.write_text(f"#!/bin/sh\n{kills}\nexec '{site.sim.home.bin}/osbackup' \"$@\"\n")
        slow.chmod(0o755)
        environment["CSF_BACKUP_OSBACKUP"] = str(slow)
    else:
        server.do(when, kills)
    with subprocess.Popen(site.command(), env=environment, stderr=subprocess.DEVNULL) as csf:
        (here / "csf.new").write_text(str(csf.pid))
        os.rename(here / "csf.new", here / "csf")
    assert csf.returncode == -signal.SIGKILL


MOMENTS = ["begin.after", "osbackup", "end.before", "begin.before", "end.after"]


@pytest.mark.parametrize("when", MOMENTS[: scaled(3)])
@pytest.mark.parametrize("with_guardian", [True, False], ids=["power cut", "kill"])
def test_a_server_is_never_left_stopped(
    local_site: Site, server: ApplicationServer, when: str, *, with_guardian: bool
) -> None:
    """The guardian starts the server at once; if it was killed, too, the next backup does."""
    killed(local_site, server, when, with_guardian=with_guardian)
    debt = f"{local_site.master}.quiesced"
    if not with_guardian:
        wait_for(lambda: server.runs and not os.path.exists(debt))
    local_site.image = str(local_site.images / "b.img")
    made = local_site.backup(CSF_BACKUP_LOCK_WAIT="60")
    assert made.exit_code == 0, made.stderr
    assert ("was called on localhost now, and succeeded" in made.stderr) == with_guardian
    assert server.runs
    assert not os.path.exists(debt)


def test_a_proof_settles_what_a_killed_run_owes(
    local_site: Site, server: ApplicationServer
) -> None:
    """The image was complete when the guardian was killed; prove starts the server again."""
    killed(local_site, server, "end.before", with_guardian=True)
    proven = local_site.on_image("admin_database_prove", "-wait", "60")
    assert proven.exit_code == 0, proven.stderr
    assert server.runs
    assert not os.path.exists(f"{local_site.master}.quiesced")


def test_a_rotation_stops_and_starts_it_too(local_site: Site, server: ApplicationServer) -> None:
    """A rotation passes the options for the application server on to its backup."""
    words = ["csf", "admin_database_rotate", "-database", local_site.master]
    words += ["-image-dir", f"localhost:{local_site.images}", "-quiesce", server.program]
    made = local_site.sim.run(words)
    assert made.exit_code == 0, made.stderr
    assert (server.calls, server.runs) == (["begin", "end"], True)


def test_a_server_with_clients_is_refused(local_site: Site) -> None:
    """Backup and restore are refused; without ossvrstat there is only a warning."""
    assert local_site.backup("-require-quiet").exit_code == 0
    with local_site.sim.workload(local_site.master, writers=1):
        refused = local_site.restore("-require-quiet", "-yes")
        assert refused.exit_code == 21
        assert "client #1: process " in refused.stderr
    lacking = {"CSF_BACKUP_OSSVRSTAT": "/no"}
    restored = local_site.restore("-require-quiet", "-yes", **lacking)
    assert restored.exit_code == 0
    assert (
        "warning: whether the repository is quiet on localhost cannot be asked" in restored.stderr
    )
    local_site.image = str(local_site.images / "b.img")
    assert local_site.backup("-require-quiet", **lacking).exit_code == 21


def test_how_many_databases_changed_meanwhile_is_reported(local_site: Site, tmp_path: Path) -> None:
    """The message has the number of the changed databases, and the receipt their names."""
    busy = tmp_path / "osbackup"
    changed = [local_site.master, os.path.join(local_site.repository, "Class1.db")]
    busy.write_text(
        f'#!/bin/sh\ntouch {" ".join(changed)}\nexec {local_site.sim.home.bin}/osbackup "$@"\n'
    )
    busy.chmod(0o755)
    made = local_site.backup(CSF_BACKUP_OSBACKUP=str(busy))
    assert made.exit_code == 0, made.stderr
    assert made.stderr.endswith("; files of 2 of 4 databases changed meanwhile\n")
    with open(f"{local_site.image}.receipt.json") as file:
        assert json.load(file)["changed"] == changed
