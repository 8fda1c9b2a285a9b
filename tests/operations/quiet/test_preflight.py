"""Before a repository is made quiet: the programs, the record's place, and current clients."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import NotQuiet, NotWritable, UtilityMissing
from csf_backup_plugin.hosts.protocol.programs import Quiesce
from csf_backup_plugin.hosts.protocol.values import Completed, Facts
from csf_backup_plugin.operations.quiet.debt import Debt, encode
from csf_backup_plugin.operations.quiet.preflight import (
    find_programs,
    prepare_quiet,
    prepare_quiet_restore,
)
from csf_backup_plugin.operations.quiet.request import VARIABLE, Quiescing
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Repository("/r/lib.db")
ASKED = Quiescing("/etc/quiesce", 60.0)
REQUIRED = Quiescing(is_required=True)
WRITABLE = Facts("directory", "/r", writable=True)
DEBT = Debt("/etc/quiesce", "/r/lib.db", 60.0, "a" * 32, "db1", "2026-11-25T12:00:00+00:00")


def host(**utilities: str) -> MemoryHost:
    """Return a host that has the program, ossvrstat, and a Server without clients."""
    made = MemoryHost({"/r/lib.db": b"1"})
    made.utilities |= {"quiesce": "/etc/quiesce", "ossvrstat": "/os/ossvrstat", **utilities}
    made.listing = Completed(0, b"no active clients\n")
    return made


def quiet(on: MemoryHost, asked: Quiescing, directory: Facts = WRITABLE) -> Quiesce | None:
    """Prepare a backup with these options."""
    found = find_programs(asked, on)
    return prepare_quiet(asked, found, REPOSITORY, directory, on.machine(), on)


def test_nothing_is_called_where_nothing_is_named() -> None:
    """ossvrstat is not run either."""
    on = host()
    on.listing = Completed(1, b"")
    assert quiet(on, Quiescing()) is None


def test_the_program_is_called_that_is_named() -> None:
    """The option or the environment names it."""
    expected = Quiesce(
        "/etc/quiesce", "/r/lib.db", "/r/lib.db.quiesced", encode(DEBT), 60.0, "", "db1"
    )
    on = host()
    assert quiet(on, ASKED) == expected
    on.variables[VARIABLE] = "/etc/quiesce"
    assert quiet(on, ASKED._replace(program="")) == expected
    on.variables[VARIABLE] = "quiesce"
    with pytest.raises(UtilityMissing, match="CSF_BACKUP_QUIESCE names it"):
        quiet(on, Quiescing())


def test_what_is_owed_must_have_a_place_to_be_written_to() -> None:
    """Otherwise a power failure would leave the servers stopped."""
    with pytest.raises(NotWritable, match="/r on db1 is not writable"):
        quiet(host(), ASKED, WRITABLE._replace(writable=False))


def test_another_programs_debt_is_not_replaced() -> None:
    """A debt of the same program is replaced: it is called again."""
    on = host()
    on.files["/r/lib.db.quiesced"] = encode(DEBT._replace(since="before")).encode()
    assert quiet(on, ASKED)
    on.files["/r/lib.db.quiesced"] = encode(DEBT._replace(program="/old")).encode()
    with pytest.raises(NotQuiet, match="/old end /r/lib.db is owed"):
        quiet(on, ASKED)
    on.unreadable["/r/lib.db.quiesced"] = PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(NotQuiet, match="is there on db1, and it cannot be read"):
        quiet(on, ASKED)


@pytest.mark.parametrize(
    "listing", [Completed(0, b"client #1"), Completed(1, b"no active clients"), Completed(0, b"")]
)
def test_a_server_that_is_not_known_to_be_unused_is_refused(listing: Completed) -> None:
    """The message has ossvrstat's output."""
    on = host()
    assert quiet(on, REQUIRED) is None
    on.listing = listing
    with pytest.raises(NotQuiet, match="/os/ossvrstat -clients db1: exit"):
        quiet(on, REQUIRED)


def test_an_ossvrstat_that_does_not_end_tells_nothing() -> None:
    """The Server may hang."""

    class Hanging(MemoryHost):
        def run(self, _argv: Sequence[str], _timeout: float) -> Completed:
            raise TimeoutError

    on = Hanging({})
    on.utilities["ossvrstat"] = "/os/ossvrstat"
    with pytest.raises(NotQuiet, match="did not end within 60 s"):
        quiet(on, REQUIRED)


def test_behind_a_program_the_guardian_asks() -> None:
    """Before the call, the servers that it stops are still clients."""
    on = host()
    on.listing = Completed(0, b"client #1")
    made = quiet(on, ASKED._replace(is_required=True))
    assert made
    assert (made.ask, made.server) == ("/os/ossvrstat", "db1")


def test_without_ossvrstat_a_backup_is_refused_and_a_restore_warned_of() -> None:
    """A restore may be too urgent to look for ossvrstat."""
    on = host()
    del on.utilities["ossvrstat"]
    with pytest.raises(NotQuiet, match="cannot be asked. ossvrstat was not found") as caught:
        quiet(on, REQUIRED)
    assert "without -require-quiet" in caught.value.next_step
    for asked in (REQUIRED, ASKED._replace(is_required=True)):
        found = find_programs(asked, on)
        made, warnings = prepare_quiet_restore(asked, found, REPOSITORY, WRITABLE, on.machine(), on)
        assert bool(made) == bool(asked.program)
        assert not made or not made.ask
        assert warnings[0].startswith("whether the repository is quiet on db1 cannot be asked")


def test_a_restore_asks_where_it_can() -> None:
    """If ossvrstat reports clients, a restore is refused as a backup is."""
    on = host()
    found = find_programs(REQUIRED, on)
    prepared = (REQUIRED, found, REPOSITORY, WRITABLE, on.machine(), on)
    assert prepare_quiet_restore(*prepared) == (None, [])
    on.listing = Completed(0, b"client #1")
    with pytest.raises(NotQuiet):
        prepare_quiet_restore(*prepared)
