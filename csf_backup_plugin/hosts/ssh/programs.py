"""Programs on the host, run to their end within a session.

Each has a process group of its own, beside a shell that says once a second how far it is. When
nobody is there to hear that any more, be we cut off, killed or tired of waiting, it ends the group.
"""

from __future__ import annotations

import itertools
import os
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.protocol import ENDLESS, Completed
from csf_backup_plugin.hosts.ssh.connection import TooMuch
from csf_backup_plugin.hosts.ssh.errors import check
from csf_backup_plugin.hosts.ssh.session import RESTORE_LOCALE, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection

_FEW = 20  # programs that are run in one go

# The program "$@" becomes; `measure` prints a number that tells how far it is. A shell lets what it
# does not wait for ignore SIGINT and SIGQUIT.
_RUN = """
exec 3<&0
setsid env $csf_signals "$@" <&3 3<&- &
program=$!
(
  trap '' PIPE
  while sleep 1 2>/dev/null; do measure >&2 || break; done
  kill -TERM "-$program"; sleep 5; kill -KILL "-$program"
) </dev/null >/dev/null 3<&- 4>&- &
watcher=$!
wait $program; status=$?
kill $watcher
exit $status
"""
# What the watcher says stands among the program's own words; it is a byte that is taken out again.
_PROGRAM = (
    "measure() { printf '\\000'; }\n"
    + f"""set -- sh -c '{RESTORE_LOCALE}exec "$@"' sh "$@"\n"""
    + _RUN
)
# Lines of standard input are operands. How each ended: a line of its status and of the length of
# what it said, and that, of which there is no more than $0. A word on standard error tells of each.
_EACH = f"""
while IFS= read -r operand; do
  said=$({{ ( {RESTORE_LOCALE}exec "$@" "$operand" ) </dev/null 2>&1; printf "\\n%s" $?; }} |
    tail -c "$0")
  status=${{said##*
}}; said=${{said%?"$status"}}
  printf "%s %s\\n%s" "$status" "${{#said}}" "$said"; echo ended >&4
done
"""
_PROGRAMS = (
    "measure() { echo; }\nexec 4>&2\n"
    + f"set -- sh -c '{_EACH}' {common.OUTPUT_OF_EACH} \"$@\"\n"
    + _RUN
)
# openssl takes a quarter of the time that sha256sum of some systems does; /proc knows what it read.
_DIGEST = (
    """
measure() { sed -n 's/^pos:[^0-9]*//p' "/proc/$program/fdinfo/0"; }
sum=sha256sum; command -v openssl >/dev/null && sum="openssl dgst -sha256 -r"
set -- sh -c 'exec 2>&1; exec < "$1" && '"$sum"' && stat -L -c %s -- "$1"' sh "$1"
"""
    + _RUN
)


def run(connection: Connection, argv: Sequence[str], timeout: float) -> Completed:
    """Run a program to its end; see `Host.run`."""
    until = time.monotonic() + timeout
    try:
        answer = connection.ask(_PROGRAM, *argv, until=until, room=common.OUTPUT)
    except TooMuch as much:
        return Completed(ENDLESS, much.output, much.errors.replace(b"\0", b""))
    errors = answer.errors.replace(b"\0", b"")
    return Completed(common.as_wait_status(answer.status), answer.output, errors)


def run_each(
    connection: Connection, argv: Sequence[str], operands: Iterable[str], timeout: float
) -> Iterator[Completed]:
    """Run a program once for each operand; see `Host.run_each`.

    A few at a time: so the caller sees how far they are, and a cut repeats no more than that.
    """
    rest = iter(operands)
    while few := [*itertools.islice(rest, _FEW)]:
        yield from _run_few(connection, argv, few, timeout)


def _run_few(
    connection: Connection, argv: Sequence[str], operands: Sequence[str], timeout: float
) -> Iterator[Completed]:
    lines = b"".join(os.fsencode(operand) + b"\n" for operand in operands)
    rest = connection.ask(_PROGRAMS, *argv, data=lines, heard=_each_within(timeout)).output
    while rest:
        head, _, rest = rest.partition(b"\n")
        word, size = head.split()[0], int(head.split()[1])
        is_cut = size + len(b"\n" + word) >= common.OUTPUT_OF_EACH
        yield Completed(ENDLESS if is_cut else common.as_wait_status(int(word)), rest[:size])
        rest = rest[size:]


def digest(connection: Connection, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
    """Return a file's bytes and SHA-256; `progress` learns the bytes read so far."""
    answer = connection.ask(_DIGEST, path, heard=lambda errors: tell(errors, progress))
    check(Answer(answer.status, b"", answer.output), path)
    sha256, _name, size = answer.output.split()
    progress(int(size))
    return int(size), sha256.decode("ascii")


def tell(errors: bytes, progress: Callable[[int], None]) -> None:
    """Tell the last number that was said, if there has been one."""
    said = errors.split()
    if said and said[-1].isdigit():
        progress(int(said[-1]))


def _each_within(timeout: float) -> Callable[[bytes], None]:
    """Return what raises `TimeoutError` if one of many programs takes longer, in seconds."""
    last = (-1, 0.0)

    def heard(errors: bytes) -> None:
        nonlocal last
        ended = errors.count(b"ended\n")
        if ended != last[0]:
            last = ended, time.monotonic()
        elif time.monotonic() >= last[1] + timeout:
            raise TimeoutError

    return heard
