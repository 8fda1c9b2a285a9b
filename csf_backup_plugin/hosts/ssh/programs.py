"""Programs on the host, run to their end below the shell, by `supervise.sh`.

Each has a process group of its own. When nobody waits for it any more, be we cut off, killed or
tired of waiting, the group is ended, and the shell lives on.
"""

from __future__ import annotations

import itertools
import secrets
import shlex
import time
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.protocol import ENDLESS, Completed
from csf_backup_plugin.hosts.ssh.calls import RESTORE_LOCALE, Answer
from csf_backup_plugin.hosts.ssh.connection import TooMuch
from csf_backup_plugin.hosts.ssh.errors import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection

_FEW = 20  # programs that are run in one go

# How many bytes are read of a program's standard error; two of them are more than it may print.
_ROOM = f"room={common.OUTPUT + 2}\n"
# Descriptor 7 is for what is told meanwhile; the program is not to have it.
_PROGRAM = _ROOM + f"""supervise sh -c 'echo $$ >&2; {RESTORE_LOCALE}exec "$@" 7>&-' sh "$@"\n"""
# The first line is the process. A shell that tells how a program was ended is not heard.
_ONE = f"""echo $$; {RESTORE_LOCALE}"$@" 2>&1 7>&-; exit $?"""
# $1 a mark, $2 the pump, then the command; operands are lines of standard input. How each ended: a
# line of its status, or "cut", and of the length of what it said, and that, of which there is no
# more than $0. How many have ended is told.
_EACH = f"""
echo $$ >&2; mark=$1 pump=$2; shift 2; count=0
while IFS= read -r operand; do
  said=$({{ sh -c {shlex.quote(_ONE)} sh "$@" "$operand" </dev/null 2>/dev/null
    printf "\\n%s %s\\n" "$mark" $?; }} | eval "$pump" | head -c $(($0 + 64)) |
    sed "/^$mark /{{s///;q}}"; echo .)
  said=${{said%??}}; status=cut
  if [ ${{#said}} -le $(($0 + 4)) ]; then status=${{said##*
}}; said=${{said%?"$status"}}; fi
  printf "%s %s\\n%s" "$status" "${{#said}}" "$said"
  printf "\\n%s %s\\n" "$mark" $((count += 1)) >&7
done
"""
_PROGRAMS = (
    _ROOM
    + f"""operands=$1; shift
printf %s "$operands" |
supervise sh -c {shlex.quote(_EACH)} {common.OUTPUT_OF_EACH} "$mark" "$csf_pump" "$@"
"""
)
# openssl takes a quarter of the time that sha256sum of some systems does; /proc knows what it read.
_SUM = """
echo $$ >&2; exec 2>&1; exec < "$1" || exit
while sleep 1; do
  sed -n "s/^pos:[^0-9]*/\\n$2 /p" "/proc/$$/fdinfo/0" >&7 || exit
done >/dev/null 2>&1 &
sum=sha256sum; command -v openssl >/dev/null && sum="openssl dgst -sha256 -r"
$sum && stat -L -c %s -- "$1"; status=$?
kill -KILL $!; exit $status
"""
_DIGEST = _ROOM + f"""supervise sh -c {shlex.quote(_SUM)} sh "$1" "$mark"\n"""


def run(connection: Connection, argv: Sequence[str], timeout: float) -> Completed:
    """Run a program to its end; see `Host.run`."""
    until = time.monotonic() + timeout
    try:
        answer = _supervised(connection, _PROGRAM, *argv, until=until, room=common.OUTPUT)
    except TooMuch as much:
        return Completed(ENDLESS, much.output)
    is_endless = len(answer.errors) > common.OUTPUT
    status = ENDLESS if is_endless else common.as_wait_status(answer.status)
    return Completed(status, answer.output, answer.errors)


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
    lines = "".join(f"{operand}\n" for operand in operands)
    heard = _each_within(timeout)
    rest = _supervised(connection, _PROGRAMS, lines, *argv, heard=heard).output
    while rest:
        head, _, rest = rest.partition(b"\n")
        word, size = head.split()[0], int(head.split()[1])
        status = ENDLESS if word == b"cut" else common.as_wait_status(int(word))
        yield Completed(status, rest[:size])
        rest = rest[size:]


def digest(connection: Connection, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
    """Return a file's bytes and SHA-256; `progress` learns the bytes read so far."""
    answer = _supervised(connection, _DIGEST, path, heard=progress)
    check(Answer(answer.status, b"", answer.output), path)
    sha256, _name, size = answer.output.split()
    progress(int(size))
    return int(size), sha256.decode("ascii")


def _supervised(connection: Connection, script: str, *arguments: str, **options: Any) -> Answer:
    """Run a program by `supervise.sh`; what comes behind the ends is what it has left behind."""
    end = secrets.token_hex(16)
    answer = connection.ask(f"end={end}\n{script}", *arguments, kind="program", **options)
    output, errors = (said.partition(f"{end}\n".encode())[0] for said in answer[1:])
    return answer._replace(output=output, errors=errors)


def _each_within(timeout: float) -> Callable[[int], None]:
    """Return what raises `TimeoutError` if one of many programs takes longer, in seconds."""
    last = (-1, 0.0)

    def heard(ended: int) -> None:
        nonlocal last
        if ended != last[0]:
            last = ended, time.monotonic()
        elif time.monotonic() >= last[1] + timeout:
            raise TimeoutError

    return heard
