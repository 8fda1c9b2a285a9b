"""A dry run ends with the code that the real run ends with."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.hosts.local.host import LocalHost
from sites import PLAIN, let_read

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_simulator.simulator import Result
    from sites import Site


def closed(path: str) -> None:
    """Remove all permissions of a file or a directory."""
    os.chmod(path, 0)


def write(path: str) -> None:
    """Make a file."""
    with open(path, "w") as file:
        file.write("csf admin_database_restore\n")


def closed_manifest(site: Site) -> None:
    """Make the manifest unreadable."""
    write(f"{site.master}.manifest")
    closed(f"{site.master}.manifest")


def directory_instead(path: str) -> None:
    """Replace a file by a directory."""
    os.unlink(path)
    os.mkdir(path)


def another_repository(site: Site) -> None:
    """Let the image belong to another repository."""
    site.master = site.sim.repository(classes=1)


def beside(site: Site, name: str) -> str:
    """Return the path of a database in the repository's directory."""
    return os.path.join(site.repository, name)


BACKUPS: dict[str, tuple[Callable[[Site], object], int]] = {
    "nothing": (lambda site: None, 0),
    "database not readable": (lambda site: closed(beside(site, "Class1.db")), 40),
    "manifest not readable": (closed_manifest, 1),
    "repository not readable": (lambda site: closed(site.repository), 1),
    "images not writable": (lambda site: let_read(str(site.images)), 12),
    "restore not finished": (lambda site: write(f"{site.master}.unfinished-restore"), 13),
}
RESTORES: dict[str, tuple[Callable[[Site], object], int]] = {
    "nothing": (lambda site: None, 0),
    "extra database": (lambda site: site.create("New"), 60),
    "image gone": (lambda site: os.unlink(site.image), 50),
    "image not readable": (lambda site: closed(site.image), 1),
    "receipt gone": (lambda site: os.unlink(f"{site.image}.receipt.json"), 50),
    "another repository": (another_repository, 13),
    "repository gone": (lambda site: shutil.rmtree(site.repository), 14),
    "repository not writable": (lambda site: let_read(site.repository), 12),
    "a directory in the way": (lambda site: directory_instead(beside(site, "Class1.db")), 13),
}


def both(site: Site, command: list[str], *last: str, **variables: str) -> list[Result]:
    """Run a command first with -dry-run, and then without."""
    return [
        site.sim.run([*PLAIN, *command, *options], env=variables)
        for options in (("-dry-run", *last), last)
    ]


@pytest.mark.parametrize("case", BACKUPS)
def test_a_dry_run_of_a_backup_ends_as_the_backup_does(local_site: Site, case: str) -> None:
    """Dry run and backup have the same exit code, whatever permission is missing."""
    prepare, code = BACKUPS[case]
    prepare(local_site)
    ended = both(local_site, local_site.command())
    os.chmod(local_site.repository, 0o755)
    assert [one.exit_code for one in ended] == [code, code], [one.stderr for one in ended]


@pytest.mark.parametrize("case", RESTORES)
def test_a_dry_run_of_a_restore_ends_as_the_restore_does(local_site: Site, case: str) -> None:
    """Dry run and restore have the same exit code, whatever is in the way."""
    assert local_site.backup().exit_code == 0
    prepare, code = RESTORES[case]
    prepare(local_site)
    ended = both(local_site, local_site.restore_command(), "-yes")
    assert [one.exit_code for one in ended] == [code, code], [one.stderr for one in ended]


def test_dry_runs_meet_locks_and_look_for_utilities_too(local_site: Site) -> None:
    """A dry run takes locks and looks for utilities as the real run does, and waits no longer."""
    assert local_site.backup().exit_code == 0
    restore = local_site.restore_command("-wait", "0")
    local_site.image += "-2"
    backup = local_site.command("-wait", "0")
    with LocalHost().lock(f"{local_site.master}.lock", "a test", 0, print):
        codes = [one.exit_code for one in both(local_site, backup)]
        codes += [one.exit_code for one in both(local_site, restore, "-yes")]
    assert codes == [20] * 4
    codes = [o.exit_code for o in both(local_site, backup, CSF_BACKUP_OSBACKUP="/none")]
    codes += [o.exit_code for o in both(local_site, restore, "-yes", CSF_BACKUP_OSRESTORE="/none")]
    assert codes == [32] * 4


def test_disks_that_the_environment_calls_arrays_are_no_warning(local_site: Site) -> None:
    """A disk or mount point that CSF_BACKUP_RAID names causes no warning of a shared disk."""
    at = LocalHost().look([local_site.repository])[0]
    variables = {"CSF_BACKUP_RAID": " ".join([*at.vital, at.mount])}
    documents: list[dict[str, Any]] = []
    for environment in ({}, variables):
        ended = local_site.backup("-dry-run", "-json", **environment)
        documents.append(json.loads(ended.stdout))
    assert [one["shared_disk"] for one in documents] == ["yes", "array"]
    assert [any("share" in text for text in one["warnings"]) for one in documents] == [True, False]
