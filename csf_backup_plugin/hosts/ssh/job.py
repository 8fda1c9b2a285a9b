"""osbackup at work on the host, detached: a connection that is cut neither ends nor repeats it.

It runs in a session of its own, below a shell that writes down in the record how it ended. The
record is a directory beside the image: `pid` of the process group, `output`, and at last `status`.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from typing import TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.protocol import Completed
from csf_backup_plugin.hosts.ssh.connection import PATIENCE, Answer, Cut
from csf_backup_plugin.hosts.ssh.errors import check
from csf_backup_plugin.hosts.ssh.utilities import as_wait_status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.lock import SshLock

_POLLS = (0.02, 0.5)  # seconds between two looks, at first and at last
_OUTPUT_KEPT = 1 << 20  # bytes of its output that are fetched

_WRAPPER = (
    'echo $$ > "$0/pid" && { "$@"; echo $? > "$0/status.new"; mv "$0/status.new" "$0/status"; }'
)
# $1 the record, then the command. The directory can be made once: so can the start be. Init is to
# be its parent, and see to its end. All on one line, since the lock's shell reads its orders so.
_START = (
    'mkdir -- "$1" 2>&1 && { '
    f'( setsid sh -c {shlex.quote(_WRAPPER)} "$@" </dev/null >"$1/output" 2>&1 & ); '
    'count=0; while [ ! -s "$1/pid" ] && [ $((count += 1)) -lt 250 ]; do sleep 0.02; done; '
    '[ -s "$1/pid" ]; }'
)
# Tells whether anybody in a process group runs; who waits to be buried does not.
_ALIVE = r"""
alive() {
  cat /proc/[0-9]*/stat 2>/dev/null |
    sed -n 's/.*) \(.\) [0-9]* \([0-9]*\) .*/\1 \2/p' | grep -qx "[^Z] $1"
}
"""
# $1 the record, $2 the file that grows, $3 how much of the output. Dead without a status: 137.
_POLLED = (
    _ALIVE
    + """
stat -L -c %s -- "$2" 2>/dev/null || echo 0
alive=; [ -e "$1/status" ] || { alive "$(cat "$1/pid")" && alive=1; }
if [ -e "$1/status" ]; then cat "$1/status"
elif [ -n "$alive" ]; then echo; exit 0
elif [ -e "$1/pid" ]; then echo 137
else exit 1; fi
tail -c "$3" -- "$1/output"
"""
)
# $1 the record. The directory is made before the utility is started, and both by one shell.
_STARTED = 'sleep 0.5; [ -s "$1/pid" ]'
# $1 the record. Ends whatever of the group is left: asked first, then made to.
_STOP = (
    _ALIVE
    + """
[ -d "$1" ] || exit 0
count=0; while [ ! -s "$1/pid" ] && [ $((count += 1)) -lt 250 ]; do sleep 0.02; done
group=$(cat "$1/pid") || exit 0
[ -e "$1/status" ] || kill -TERM "-$group" 2>/dev/null
count=0
while alive "$group" && [ $count -lt 100 ]; do
  [ -e "$1/status" ] || [ $count -ge 50 ] && kill -KILL "-$group" 2>/dev/null
  sleep 0.1; count=$((count + 1))
done
"""
)


class Job:
    """A utility at work.

    Args:
        connection: to its host.
        record: the directory that is kept about it.
        watched: the file whose growth `poll` reports.
    """

    def __init__(self, connection: Connection, record: str, watched: str) -> None:
        self._connection = connection
        self._record = record
        self._watched = watched
        self._size = 0
        self._pause = _POLLS[0]

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, once it has, and the watched file's size so far.

        While there is no connection, it is tried again: what it does there is not known.
        """
        interrupts.check()
        time.sleep(self._pause)
        self._pause = min(self._pause * 1.3, _POLLS[1])
        script, arguments = _POLLED, (self._record, self._watched, str(_OUTPUT_KEPT))
        try:
            answer = self._connection.run(script, *arguments)
        except HostUnreachable:
            return None, self._size
        size, status, output = check(answer, self._record).output.split(b"\n", 2)
        self._size = int(size)
        completed = Completed(as_wait_status(int(status)), output) if status else None
        return completed, self._size

    def stop(self) -> None:
        """End whatever of it still runs.

        Raises:
            HostUnreachable: nobody knows what it does.
        """
        self._connection.ask(_STOP, self._record)


@contextlib.contextmanager
def started(
    connection: Connection, argv: Sequence[str], watched: str, lock: SshLock | None, record: str
) -> Iterator[Job]:
    """Run a utility while the block runs; see `Host.start`."""
    job = Job(connection, record, watched)
    try:
        _start(connection, argv, lock, record)
    except FileExistsError:
        raise  # it is another run's
    except BaseException as error:
        connection.reconnect(time.monotonic() + PATIENCE)
        if not isinstance(error, Cut) or connection.ask(_STARTED, record).status:
            job.stop()
            raise
    try:
        yield job
    finally:
        job.stop()


def _start(connection: Connection, argv: Sequence[str], lock: SshLock | None, record: str) -> None:
    if lock is None:
        answer = connection.run(_START, record, *argv)
        check(answer._replace(errors=answer.output), record)
        return
    lock.tell(f"set -- {shlex.join([record, *argv])}; {_START}")
    said = []
    while not (line := lock.answer(interruptible=False)).startswith("started "):
        said.append(line)
    status = int(line.removeprefix("started "))
    check(Answer(status, b"", "\n".join(said).encode()), record)
