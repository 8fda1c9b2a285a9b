"""docs/fleet.md shows the file, its keys and the output as they are."""

from __future__ import annotations

import contextlib
import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest
from documents import DOCS, block
from rotating import DAY, MONDAY, TimedHost, rotated
from scheduling import HERE, host_with

from csf_backup_plugin import plugin
from csf_backup_plugin.attempts.reading import Attempts
from csf_backup_plugin.cli import fleet_schedule, fleet_status_report, runner
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.fleet import file as fleet_file
from csf_backup_plugin.fleet.file import parse_fleet
from csf_backup_plugin.fleet.repository import KEYS
from csf_backup_plugin.fleet.status import look_at_fleet, request_of
from csf_backup_plugin.image import sealed_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Place

    from csf_backup_plugin.hosts.protocol.host import Host

DOCUMENT = (DOCS / "fleet.md").read_text()


def test_every_key_is_documented() -> None:
    """The order is that of the messages."""
    table = DOCUMENT.partition("<!-- keys -->")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == KEYS


@pytest.mark.parametrize("which", ["host", "control host"])
def test_the_schedules_are_shown_as_they_are(
    which: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The schedules are made from the file above them, on a suitable machine."""
    host = host_with("/backup1", "/backup2")
    host.files["/databases/maps.db"] = b"x"
    monkeypatch.setattr(runner, "connect", lambda *_: contextlib.nullcontext(host))
    monkeypatch.setattr(fleet_schedule, "look_around", lambda *_: HERE._replace(user="root"))
    data = block("fleet file").encode()
    monkeypatch.setattr(fleet_file, "read_fleet", lambda name: parse_fleet(name, data))
    line, *shown = block(f"fleet schedule: {which}").splitlines(keepends=True)
    plugin.register_commands(csf := click.Group("csf"))
    csf.main(shlex.split(line.removeprefix("$ csf ")), "csf", standalone_mode=False)
    assert "".join(shown) == capsys.readouterr().out


def no_ledger() -> Attempts:
    """Replace the ledger by an empty one."""
    raise FileNotFoundError


@pytest.mark.usefixtures("tools")
def test_the_status_is_shown_as_it_is(place: Place) -> None:
    """It is that of the file above; one host is down, and one repository has no backup."""
    rotated(place, every=86400.0, drill_every=7 * 86400.0, scratch=str(place.images.parent))
    (record,) = place.images.glob("*/*.drill.json")
    facts = {**sealed_json.decode(record.read_bytes(), sealed_json.DRILL), "seconds": 9.0}
    record.write_bytes(sealed_json.encode(facts, sealed_json.DRILL))
    text = block("fleet file")
    for shown, real in (
        ("/backup1\n    /backup2", str(place.images)),
        ("/databases", str(place.repository)),
    ):
        text = text.replace(shown, real)

    @contextlib.contextmanager
    def on(name: str) -> Iterator[Host]:
        if name == "db2":
            raise HostUnreachable("db2 has not answered within 10 s.", "Look at it.")
        host = TimedHost(MONDAY + 2 * DAY)
        host.name = name
        yield host

    fleet = parse_fleet("/etc/csf/fleet.ini", text.encode())
    found = look_at_fleet(fleet, fleet, request_of(fleet), on, no_ledger)
    for form in ("text", "prometheus"):
        printed = fleet_status_report.outcome(found, form, in_colour=False).output
        assert isinstance(printed, str)
        shown = printed.replace(str(place.repository), "/databases")
        shown = re.sub(r"lib-2026-11-23-\d{6}", "lib-2026-11-23-021000", shown)
        shown = re.sub(rf"\b(\w+:){re.escape(str(place.images))}", r"\1/backup1", shown)
        if form == "prometheus":
            lines = shown.splitlines(keepends=True)
            shown = "".join(line for line in lines if line.startswith("csf_backup_fleet_"))
        screen = shown.rstrip("\n") + "\n"
        assert screen == block(f"fleet status: {form}")
