"""A repository that the user may only read: everything works except what changes it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from conftest import UTILITIES, served

from csf_simulator.simulator import Simulator
from sites import PLAIN, Site, let_read

if TYPE_CHECKING:
    from pathlib import Path

READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"'
KEPT_OUT = (
    "cannot be made (): a class_create of another user during this backup cannot be prevented"
)
NO_NUMBER = "cannot be written (): this image has no number, and so is never the latest one"
NOT_NOTED = "cannot be written (): the number 2 is not recorded there, and may be given again"


def backed_up(site: Site, *prefix: str) -> list[dict[str, Any]]:
    """Make a dry run and a backup; return their messages without the system's error texts."""
    documents = []
    for options in (("-dry-run",), ()):
        ended = site.sim.run([*prefix, *site.command("-json", *options)])
        assert ended.exit_code == 0, ended.stderr
        document = json.loads(ended.stdout)
        words = r"\((Permission denied|Read-only file system)\)"
        document["warnings"] = [re.sub(words, "()", text) for text in document["warnings"]]
        documents.append(document)
    return documents


def others(site: Site, *prefix: str, manifest: int) -> None:
    """Read the manifest and the image; check that a restore and its dry run are refused."""
    read = ("csf", "admin_database_manifest", "-database", site.master, "-host", site.host)
    assert site.sim.run([*prefix, *read]).exit_code == manifest
    assert site.sim.run([*prefix, *site.restore_command("-dry-run")]).exit_code == 12
    refused = site.sim.run([*prefix, *site.restore_command("-yes")])
    assert refused.exit_code == 12
    assert f"{site.repository} on {site.host} is not writable for this user." in refused.stderr


@pytest.mark.parametrize("is_mount", [False, True], ids=["permissions", "mount"])
@pytest.mark.parametrize(
    ("kept", "told", "manifest"),
    [
        ((), [KEPT_OUT, NO_NUMBER], 13),
        ((".manifest",), [KEPT_OUT, NOT_NOTED], 0),
        ((".manifest", ".lock"), [NOT_NOTED], 0),
    ],
    ids=["no backup before", "no lock file", "lock file"],
)
def test_what_may_only_be_read_is_backed_up(
    local_site: Site,
    namespace: list[str],
    kept: tuple[str, ...],
    told: list[str],
    manifest: int,
    *,
    is_mount: bool,
) -> None:
    """The dry run predicts the number and the warnings, and nothing is left in the directory."""
    site = local_site
    if kept:
        assert site.backup().exit_code == 0
        os.rename(site.images, f"{site.images}-before")
        site.images.mkdir()
    for suffix in {".manifest", ".lock"}.difference(kept if kept else {".manifest", ".lock"}):
        os.unlink(site.master + suffix)
    before = os.listdir(site.repository)
    prefix = (*namespace, READ_ONLY, site.repository) if is_mount else PLAIN
    if not is_mount:
        let_read(site.repository)
    dry, real = backed_up(site, *prefix)
    assert dry["warnings"] == real["warnings"]
    assert (dry["number"], dry["repository_id"]) == (real["number"], real["repository_id"])
    assert real["number"] == (2 if kept else None)
    ours = [text for text in real["warnings"] if site.master in text]
    assert [text.partition(" cannot ")[2] for text in ours] == [
        text.removeprefix("cannot ") for text in told
    ]
    others(site, *prefix, manifest=manifest)
    assert os.listdir(site.repository) == before


def test_the_image_of_what_may_only_be_read_is_verified_and_drilled(
    local_site: Site, tmp_path: Path
) -> None:
    """Verify and drill do not need write permission for the repository."""
    let_read(local_site.repository)
    database = ("-database", local_site.master)
    backed_up(local_site, *PLAIN)
    for command in (
        ["csf", "admin_database_verify", *database],
        ["csf", "admin_database_drill", *database, "-scratch-dir", str(tmp_path)],
    ):
        image = f"localhost:{local_site.image}"
        ended = local_site.sim.run([*PLAIN, *command, "-image-file", image])
        assert ended.exit_code == 0, ended.stderr


@pytest.mark.remote
def test_what_may_only_be_read_on_another_host_is_backed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the same over ssh as on this machine."""
    for name in UTILITIES:
        monkeypatch.delenv(name, raising=False)
    script = tmp_path / "login"
    script.write_text(f'#!/bin/sh\nexec {" ".join(PLAIN)} sh -c "$SSH_ORIGINAL_COMMAND"\n')
    script.chmod(0o755)
    with (
        Simulator(str(tmp_path / "home")) as sim,
        served(tmp_path, sim, f"ForceCommand {script}") as server,
    ):
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        site = Site(sim, tmp_path, "remote")
        let_read(site.repository)
        dry, real = backed_up(site)
        assert dry["warnings"] == real["warnings"]
        kept_out, no_number = [text for text in real["warnings"] if site.master in text]
        assert (KEPT_OUT in kept_out, NO_NUMBER in no_number) == (True, True)
        others(site, manifest=13)
        assert not [name for name in os.listdir(site.repository) if not name.endswith(".db")]
        os.chmod(os.path.join(site.repository, "Class1.db"), 0)
        assert site.backup("-dry-run").exit_code == 10
        site.image += "-2"
        refused = site.backup("-dry-run")
        assert refused.exit_code == 40
        assert "this user may not read" in refused.stderr
