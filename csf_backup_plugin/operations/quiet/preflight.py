"""Checks before a repository is made quiet, or is required to be quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import NotQuiet, NotWritable, UtilityMissing
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.hosts.protocol.programs import Quiesce
from csf_backup_plugin.hosts.quiescing import NO_CLIENTS
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.objectstore.commands import OSSVRSTAT, finding, list_clients
from csf_backup_plugin.objectstore.program_end import described
from csf_backup_plugin.operations.quiet.debt import debt_of, decode, encode
from csf_backup_plugin.operations.quiet.request import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.operations.quiet.request import Quiescing
    from csf_backup_plugin.repository.model import Repository

_TIMEOUT = 60.0  # seconds within which ossvrstat must answer


class Found(NamedTuple):
    """The programs that were looked for. Each function returns a path, or raises the error.

    Attributes:
        program: the program that makes the repository quiet; returns an empty path if there is
            none.
        ossvrstat: the utility that lists clients; returns an empty path if it is not needed.
    """

    program: Callable[[], str]
    ossvrstat: Callable[[], str]


def find_programs(asked: Quiescing, host: Host) -> Found:
    """Look for the programs that are needed, in one exchange."""
    return Found(
        *host.together(
            postponed(lambda: host.find_program(asked.program, VARIABLE)),
            finding(OSSVRSTAT, host) if asked.is_required else lambda: lambda: "",
        )
    )


def prepare_quiet(
    asked: Quiescing,
    found: Found,
    repository: Repository,
    directory: Facts,
    machine: Machine,
    host: Host,
) -> Quiesce | None:
    """Return the programs that make a repository quiet, or None; if required, check for clients.

    Args:
        asked: how to make the repository quiet.
        found: the programs, as `find_programs` returns them.
        repository: the repository.
        directory: the facts on its directory.
        machine: the host, and its clock.
        host: the host to work on.

    Raises:
        UtilityMissing: a program does not exist.
        NotWritable: the record of the owed `end` could not be written there.
        NotQuiet: the Server has clients or may have some, or another program's `end` is owed.
    """
    program, ossvrstat = found.program(), _ossvrstat(found, host)
    if not program:
        if asked.is_required:
            _check_no_clients(ossvrstat, machine, host)
        return None
    if not directory.writable:
        raise NotWritable(
            f"{shown(repository.directory)} on {host.name} is not writable for this user, so the "
            f"file that says that {shown(program)} is to be called with `end` cannot be written.",
            "Run the command as a user who may write there, or without -quiesce.",
        )
    _check_not_anothers(program, repository, host)
    owed = encode(debt_of(program, repository, asked.limit, machine))
    return Quiesce(
        *(program, repository.master, repository.quiesced, owed, asked.limit),
        *(ossvrstat, machine.name),
    )


def prepare_quiet_restore(
    asked: Quiescing,
    found: Found,
    repository: Repository,
    directory: Facts,
    machine: Machine,
    host: Host,
) -> tuple[Quiesce | None, list[str]]:
    """Return the same as `prepare_quiet`, and a warning if clients cannot be listed.

    A restore is not refused because ossvrstat is missing.

    It takes the arguments of `prepare_quiet`, and raises what `prepare_quiet` raises.
    """
    try:
        _ossvrstat(found, host)
    except NotQuiet as error:
        found = found._replace(ossvrstat=lambda: "")
        quiesce = prepare_quiet(
            asked._replace(is_required=False), found, repository, directory, machine, host
        )
        return quiesce, [error.what[0].lower() + error.what[1:].removesuffix(".")]
    return prepare_quiet(asked, found, repository, directory, machine, host), []


def _ossvrstat(found: Found, host: Host) -> str:
    try:
        return found.ossvrstat()
    except UtilityMissing as error:
        raise NotQuiet(
            f"Whether the repository is quiet on {host.name} cannot be asked. {error.what}",
            f"{error.next_step}\nOr give the command without -require-quiet.",
        ) from None


def _check_no_clients(ossvrstat: str, machine: Machine, host: Host) -> None:
    argv = list_clients(ossvrstat, machine.name)
    try:
        ran = host.run(argv, _TIMEOUT)
    except TimeoutError:
        how = f"it did not end within {_TIMEOUT:g} s."
    else:
        if not ran.status and NO_CLIENTS.encode() in ran.output:
            return
        how = described(ran)
    raise NotQuiet(
        f"The Server on {host.name} may have clients. {command(*argv)}: {how}",
        "Stop the applications that use it, and run the same command again. -quiesce names a "
        "program that does.",
    )


def _check_not_anothers(program: str, repository: Repository, host: Host) -> None:
    """Refuse to replace the record of another owed `end` call."""
    try:
        data = host.read(repository.quiesced)
    except OSError:
        data = b""
    if data is None:
        return
    debt = decode(data)
    if debt and debt.program == program and debt.master == repository.master:
        return
    what = f"{debt.command} is owed" if debt else "it cannot be read"
    raise NotQuiet(
        f"{shown(repository.quiesced)} is there on {host.name}, and {what}.",
        "Check that the application servers run, remove it, and run the same command again.",
    )
