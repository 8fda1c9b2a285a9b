"""The status of a fleet over ssh: one login for each host; one that is down delays no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from far_site import far_site

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.remote


def test_each_host_is_logged_in_to_once(tmp_path: Path) -> None:
    """However many repositories a host has, it is logged in to once.

    One without a backup is reported.
    """
    with far_site(tmp_path) as site:
        ssh = {"CSF_BACKUP_SSH": site.server.command}
        words = ("-database", site.master, "-image-dir", f"remote:{site.images}")
        made = site.sim.run(["csf", "admin_database_rotate", *words], env=ssh)
        assert made.exit_code == 0, made.stderr
        logins = site.server.logins()
        fleet = tmp_path / "fleet.ini"
        fleet.write_text(
            f"[DEFAULT]\nimage-dirs = {site.images}\nmax-drill-age = none\n"
            f"[lib]\ndatabase = remote:{site.master}\n"
            f"[new]\ndatabase = remote:{site.repository}/new.db\n"
            "[away]\ndatabase = nowhere.invalid:/databases/away.db\n"
        )
        status = ("csf", "admin_database_status", "-fleet", str(fleet), "-timeout", "120")
        ended = site.sim.run([*status], env=ssh)
        assert ended.exit_code == 30, ended.stdout + ended.stderr
        table = ended.stdout.split("\n\n")[1].splitlines()
        assert [line.split()[:2] for line in table[1:]] == [
            ["away", "UNREACHED"],
            ["new", "STALE"],
            ["lib", "OK"],
        ]
        assert site.server.logins() == logins + 1
        one = site.sim.run([*status, "-only", "lib"], env=ssh)
        assert one.exit_code == 0, one.stdout + one.stderr
