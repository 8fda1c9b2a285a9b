"""Kills processes, and looks at what writers leave; run by tests as a program of its own.

It forks, which a test runner with threads must not do.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from csf_simulator.database.sectors import SECTOR
from csf_simulator.repository import repository
from csf_simulator.repository.accounts import decode_balance, encode_balance
from csf_simulator.repository.check import check
from csf_simulator.server.server import Server
from csf_simulator.server.snapshot_source import SnapshotSource
from csf_simulator.utilities import osbackup, osrestore


def forked(work: Callable[[], None]) -> int:
    """Start a process that does the work and nothing else; returns its id."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    return pid


def move(server: Server, source: str, target: str, amount: int, *, durable: bool) -> None:
    """Move money from the first account of one class to that of another."""
    with server.transaction(durable=durable) as tx:
        for path, change in ((source, -amount), (target, amount)):
            balance = decode_balance(tx.read(path, 1))
            tx.write(path, 1, encode_balance(balance + change))


def balance_of(server: Server, path: str) -> int:
    """Return what the first account of a class holds."""
    with server.transaction() as tx:
        return decode_balance(tx.read(path, 1))


def kill_at_line(wanted: int) -> Callable[[FrameType, str, Any], Any]:
    """Return a trace function that kills the process before the wanted line of the simulator.

    A line that is passed again and again counts three times: what a loop does next is not new.
    """
    passed: Counter[tuple[str, int]] = Counter()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        if "csf_simulator" not in file:
            return None
        if event == "line" and passed[file, frame.f_lineno] < 3:
            passed[file, frame.f_lineno] += 1
            if passed.total() == wanted:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def move_and_create(server: Server, directory: str, line: int) -> None:
    """Move money, then add a class; die before the wanted line of that."""
    sys.settrace(kill_at_line(line))
    one, two = (os.path.join(directory, f"Class{number}.db") for number in (1, 2))
    move(server, one, two, 10, durable=False)
    repository.create_class(server, os.path.join(directory, "master.db"), "New", durable=False)


def inspect(server: Server, directory: str) -> None:
    """Check that each of the two transactions happened completely or not at all, in order."""
    master = os.path.join(directory, "master.db")
    assert check(server, master) == []
    balance = balance_of(server, os.path.join(directory, "Class1.db"))
    created = "New" in repository.classes(server, master)
    assert (balance, created) in [(1000, False), (990, False), (990, True)]
    assert os.path.exists(os.path.join(directory, "New.db")) == created


def contents(sources: Sequence[SnapshotSource]) -> list[bytes]:
    """Return the databases of a snapshot, whole."""
    found = [bytearray(source.sectors * SECTOR) for source in sources]
    for source, content in zip(sources, found, strict=True):
        source.read(0, memoryview(content))
    return [bytes(content) for content in found]


def at_every_line(place: str) -> int:
    """Kill a process that moves money and adds a class before each line that it passes.

    The snapshot taken before that must not show any of it.
    """
    server = Server(os.path.join(place, "server"))
    fresh, used = os.path.join(place, "fresh"), os.path.join(place, "used")
    repository.create(server, os.path.join(fresh, "master.db"), classes=2)
    line, killed = 0, True
    while killed:
        line += 1
        shutil.copytree(fresh, used)
        paths = [os.path.join(used, name) for name in os.listdir(used)]
        before = [Path(path).read_bytes() for path in paths]
        with server.snapshot(paths) as sources:
            pid = forked(functools.partial(move_and_create, server, used, line))
            killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
            inspect(server, used)
            assert contents(sources) == before
        survived = os.path.exists(os.path.join(used, "New.db"))
        shutil.rmtree(used)
    assert survived
    assert line > 100
    return line


def create_in_vain(server: Server, directory: str, line: int) -> None:
    """Create a class where no file can be renamed; die before the wanted line of that."""

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    os.rename = fail  # type: ignore[assignment]
    sys.settrace(kill_at_line(line))
    with contextlib.suppress(OSError):
        repository.create_class(server, os.path.join(directory, "master.db"), "New", durable=False)


def while_undoing(place: str) -> int:
    """Kill a process that creates a class in vain, and undoes that, before each of its lines.

    The next process can create the class: it exists completely, or not at all.
    """
    server = Server(os.path.join(place, "server"))
    fresh, used = os.path.join(place, "fresh"), os.path.join(place, "used")
    repository.create(server, os.path.join(fresh, "master.db"), classes=2)
    line, killed = 0, True
    while killed:
        line += 1
        shutil.copytree(fresh, used)
        master = os.path.join(used, "master.db")
        pid = forked(functools.partial(create_in_vain, server, used, line))
        killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
        created = "New" in repository.classes(server, master)
        assert check(server, master) == []
        assert os.path.exists(os.path.join(used, "New.db")) == created
        left = sorted(os.listdir(used))
        shutil.rmtree(used)
    assert left == ["Class1.db", "Class2.db", "master.db", "master_schema.db"]
    assert line > 100
    return line


def at_random(place: str) -> int:
    """Kill two processes that move money, after random microseconds."""
    server = Server(os.path.join(place, "server"))
    master = repository.create(server, os.path.join(place, "zoo", "master.db"), classes=2)
    one, two = (os.path.join(place, "zoo", f"Class{number}.db") for number in (1, 2))

    def work() -> None:
        random.seed(os.getpid())
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0005, 0.005))  # ends it at once
        while True:
            move(server, one, two, random.randint(1, 9), durable=False)

    for _ in range(100):
        for pid in (forked(work), forked(work)):
            assert os.waitpid(pid, 0)[1] == signal.SIGALRM
        assert check(server, master) == []
    assert balance_of(server, one) < 1000
    return 200


def side_by_side(place: str) -> int:
    """Let four processes move money between the same accounts; no transfer may get lost."""
    server = Server(os.path.join(place, "server"))
    master = repository.create(server, os.path.join(place, "zoo", "master.db"), classes=2)
    one, two = (os.path.join(place, "zoo", f"Class{number}.db") for number in (1, 2))

    def work() -> None:
        for _ in range(100):
            move(server, one, two, 1, durable=False)

    for pid in [forked(work) for _ in range(4)]:
        os.waitpid(pid, 0)
    assert balance_of(server, one) == 600
    assert check(server, master) == []
    return 400


def die(line: str, work: str, *arguments: str) -> None:
    """Do some work, and be killed before a line of it, unless it has fewer."""
    sys.settrace(kill_at_line(int(line)))
    if work == "move":
        directory, source, target, amount = arguments
        move(Server(directory), source, target, int(amount), durable=False)
    elif work == "create":
        directory, master, name = arguments
        repository.create_class(Server(directory), master, name, durable=False)
    else:
        {"backup": osbackup, "restore": osrestore}[work].run([*arguments])


EXPERIMENTS = {
    "at-every-line": at_every_line,
    "while-undoing": while_undoing,
    "at-random": at_random,
    "side-by-side": side_by_side,
}

if __name__ == "__main__":
    if sys.argv[1] == "die":
        die(*sys.argv[2:])
    else:
        Server(os.path.join(sys.argv[2], "server")).create()
        print(f"{EXPERIMENTS[sys.argv[1]](sys.argv[2])} times sound")
