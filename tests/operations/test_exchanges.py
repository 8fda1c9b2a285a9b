"""How many exchanges with its host each command needs, one after another.

A call is one, and so are calls asked for together, or in turn; a lock is one, with what is looked
at under it, and its release another, unless that is done in turn with something. A utility is one
from its start to its end, which the host tells by itself, whatever is asked meanwhile to show its
progress. What a host cannot tell in one exchange costs it more; what follows
is what the operations ask for.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from rotating import DAY, SUNDAY, WEEK, TimedHost, dated_copy, rotated

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.steps import Release
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.drill import drill
from csf_backup_plugin.operations.drill.request import DrillRequest
from csf_backup_plugin.operations.manifest.coverage import cover
from csf_backup_plugin.operations.restore import restore
from csf_backup_plugin.operations.restore.request import RestoreRequest
from csf_backup_plugin.operations.rotate.plan import Retention
from csf_backup_plugin.operations.verify import verify
from csf_backup_plugin.repository.model import Repository
from doubles import Memory, last_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Place, Tools

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Running
    from csf_backup_plugin.hosts.protocol.steps import Step
    from csf_backup_plugin.hosts.protocol.values import Completed

# An osrestore of tar: the members below the first source go below the first target, if any.
OSRESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
[ $# = 2 ] && exec tar -xP -f "$2"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""


class Counted:
    """A host that counts exchanges.

    Attributes:
        exchanges: what was asked for in each, so far.
    """

    def __init__(self, host: Host) -> None:
        self.name = host.name
        self.cancellation = host.cancellation
        self.exchanges: list[list[str]] = []
        self._host = host
        self._running: Running | None = None
        self._released: list[Lock] = []
        self._at = 0  # the exchanges before the next call

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._host, operation)

        def asked(*arguments: Any, **options: Any) -> Any:
            self._ask(operation)
            return method(*arguments, **options)

        return asked

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        before, last, found = self._at, self._at, []
        for step in steps:
            self._at = before
            found.append(step())
            last = max(last, self._at)
        self._at = last
        return tuple(found)

    @contextlib.contextmanager
    def lock(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        self._ask("lock")
        with self._host.lock(*arguments, **options) as lock:
            yield lock
        self._ask("unlock")

    @contextlib.contextmanager
    def start(self, *arguments: Any, **options: Any) -> Iterator[Counted]:
        self._ask("start")
        with self._host.start(*arguments, **options) as self._running:
            yield self

    def poll(self) -> tuple[Completed | None, int]:
        assert self._running is not None
        completed, size = self._running.poll()
        if completed:
            self._running = None
        return completed, size

    @contextlib.contextmanager
    def lock_and_look(
        self, path: str, purpose: str, wait: float, waiting: Any, look: Any, **options: Any
    ) -> Iterator[Any]:
        before = self._at

        def look_behind() -> Any:
            self._at, last = before, self._at
            found = look()
            self._at = max(last, self._at)
            return found

        self._ask("lock")
        arguments = (path, purpose, wait, waiting)
        with self._host.lock_and_look(*arguments, look_behind, **options) as (lock, found):
            yield lock, found
        if lock in self._released:
            self._released.remove(lock)
        else:
            self._ask("unlock")

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        self._ask(" then ".join(type(step).__name__ for step in steps))
        self._released += [step.lock for step in steps if isinstance(step, Release)]
        return self._host.in_turn(*steps)

    def _ask(self, what: str) -> None:
        if self._running:
            return
        self.exchanges += [[] for _ in range(self._at + 1 - len(self.exchanges))]
        self.exchanges[self._at].append(what)
        self._at += 1


def exchanges(work: Callable[[Host], object], host: Host | None = None) -> list[str]:
    """Return what each exchange of an operation asks for, on this machine or another."""
    counted = Counted(host or LocalHost())
    work(cast("Host", counted))
    return [", ".join(sorted({*asked})) for asked in counted.exchanges]


#: The exchanges for a recovery card, and with records of checks beside images.
CARD = ["lock, machine, read, read_directory", "Replace then Release"]
CARD_WITH_RECORDS = [CARD[0], "read_each", CARD[1]]

#: The calls of each command, in each of its exchanges.
EXCHANGES = {
    "backup": [
        # One read looks for what a killed run owes to the repository.
        "find, find_program, list_directory, lock, look, machine, read, read_directory, stat",
        "Create then Absent then Append, stat",  # the claim, earlier files, and the number
        "start",
        "digest, list_directory, read, run, stat, sync",  # the proof
        "Publish then RemoveTrees then Release",  # the receipt, and the record
        *CARD,
    ],
    "verify": ["find, look, machine, read, stat", "reading", "digest, run", "replace"],
    "drill": [
        "find, look, machine, read, stat",
        "reading",
        "list_directory, look",
        "digest",
        "lock",
        "make_directories",
        "start",
        "list_directory, look, stat",
        "run_each",
        "remove_trees",
        "unlock",
        "stat",  # the image was not replaced meanwhile
        "replace",  # the record
        *CARD_WITH_RECORDS,
    ],
    "restore": [
        "look, machine, read, stat",
        "reading",
        "find, find_program, lock, stat",
        "digest, run",
        "list_directory, look, read, read_directory, stat",
        "look, read, stat",  # changes, running utilities, and what a run owes
        "replace",  # the mark that a restore has begun
        "start",
        "stat, sync",
        "Replace then RemoveTrees then Release",  # the manifest; the mark, and the record
    ],
    "manifest": ["look, machine", "list_directory, lock, read", "unlock"],
}


@pytest.fixture
def commands(place: Place, tools: Tools) -> dict[str, Callable[[Host], object]]:
    """Return a function that runs each command on a repository with an image."""
    tools.write("osrestore", OSRESTORE)
    tools.write("osverifydb", "exit 0")
    (place.images.parent / "scratch").mkdir()
    master, image, listener = place.master, f"localhost:{place.image}", Memory()

    def backed_up(host: Host) -> object:
        number = len(list(place.images.glob("*.receipt.json")))
        return back_up(BackupRequest.parse(master, f"{image}{number or ''}"), host, listener)

    scratch = str(place.images.parent / "scratch")
    return {
        "backup": backed_up,
        "verify": lambda host: verify(ImagePath.parse(image), Repository(master), host, listener),
        "drill": lambda host: drill(DrillRequest.parse(image, scratch), host, listener),
        "restore": lambda host: restore(
            RestoreRequest.parse(master, image), host, listener, lambda _plan: True
        ),
        "manifest": lambda host: cover(Repository(master), None, 0, host, listener),
    }


def test_each_command_succeeds_in_whatever_order_its_host_does_what_is_asked_together(
    commands: dict[str, Callable[[Host], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This host does the last step first."""
    monkeypatch.setattr(LocalHost, "together", last_first)
    for command in commands.values():
        command(LocalHost())


@pytest.mark.parametrize("databases", [2, 200])
def test_each_command_needs_a_fixed_number_of_exchanges(
    place: Place, commands: dict[str, Callable[[Host], object]], databases: int
) -> None:
    """The number of databases does not matter."""
    for number in range(2, databases):
        (place.repository / f"Class{number}.db").write_bytes(b"data" * 100)
    commands["backup"](LocalHost())
    found = {name: exchanges(command) for name, command in commands.items()}
    assert found == EXCHANGES


#: The calls of a rotation that removes sets, and finds files of killed ones.
ROTATION = [
    "look, machine",
    "lock, read, read_directory",  # what there is
    *("read_each", "read_each"),  # the owners of sets without a receipt, and the records of checks
    "find, find_program, list_directory, look, machine, read, stat",
    *EXCHANGES["backup"][1 : -len(CARD)],
    CARD[0],
    *("read_each", "read_each"),  # the owners of sets without a receipt, and the records of checks
    CARD[1],
    *("lock, read_directory", "read_each", "read_each"),  # the same again
    "read_each",  # the sets whose removal had begun
    *("withdraw", "remove_trees", "unlock"),
    *CARD,  # what was half removed, or had records, is gone
    "look",  # how much room there is
]


@pytest.mark.parametrize("sets", [2, 200])
def test_a_rotation_needs_a_fixed_number_of_exchanges(
    place: Place, tools: Tools, sets: int
) -> None:
    """The number of sets, removals, half-removed sets and records does not matter."""
    made = rotated(place, SUNDAY).filled.image
    for number in range(1, sets):
        one = dated_copy(made.path, 2 * number, SUNDAY + number * WEEK)
        Path(f"{one}.drill.json").touch()
        half = dated_copy(made.path, 2 * number + 1, SUNDAY + number * WEEK + DAY)
        os.rename(f"{half}.receipt.json", f"{half}.removing")
    host = TimedHost(SUNDAY + sets * WEEK)
    retention = Retention(dated=1)

    def again(counted: Host) -> object:
        local = cast("LocalHost", counted)
        return rotated(place, host=local, retention=retention, accepted=True)

    found = exchanges(again, host)
    assert len(list((place.images / "dated").iterdir())) == 3
    assert found == ROTATION
