"""Kills writers and looks at what they leave; run by test_server.py.

It is a program of its own because it forks, which a test runner with threads must not do.
"""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any

from csf_simulator import repository
from csf_simulator.accounts import decode_balance, encode_balance
from csf_simulator.check import check
from csf_simulator.server import Server


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
    """See that each of the two transactions happened whole or not at all, and in their order."""
    master = os.path.join(directory, "master.db")
    assert check(server, master) == []
    balance = balance_of(server, os.path.join(directory, "Class1.db"))
    created = "New" in repository.classes(server, master)
    assert (balance, created) in [(1000, False), (990, False), (990, True)]
    assert os.path.exists(os.path.join(directory, "New.db")) == created


def at_every_line(place: str) -> int:
    """Kill a process that moves money and adds a class before each line that it passes."""
    server = Server(os.path.join(place, "server"))
    fresh, used = os.path.join(place, "fresh"), os.path.join(place, "used")
    repository.create(server, os.path.join(fresh, "master.db"), classes=2)
    line, killed = 0, True
    while killed:
        line += 1
        shutil.copytree(fresh, used)
        pid = forked(functools.partial(move_and_create, server, used, line))
        killed = os.waitpid(pid, 0)[1] == signal.SIGKILL
        inspect(server, used)
        survived = os.path.exists(os.path.join(used, "New.db"))
        shutil.rmtree(used)
    assert survived
    assert line > 100
    return line


def at_random(place: str) -> int:
    """Kill two processes at a time, that move money, after some random microseconds."""
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


if __name__ == "__main__":
    experiments = {
        "at-every-line": at_every_line,
        "at-random": at_random,
        "side-by-side": side_by_side,
    }
    Server(os.path.join(sys.argv[2], "server")).create()
    print(f"{experiments[sys.argv[1]](sys.argv[2])} times sound")
