"""Any history of a repository: classes, transactions, backups, restores and sudden deaths."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from copy import deepcopy
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from scale import scaled

from csf_simulator.database.file_source import FileSource
from csf_simulator.home import Home
from csf_simulator.repository import repository
from csf_simulator.repository.accounts import (
    ACCOUNTS,
    OPENING_BALANCE,
    decode_balance,
    encode_balance,
)
from csf_simulator.repository.check import check
from csf_simulator.utilities import osbackup, osrestore

KILLING = os.path.join(os.path.dirname(__file__), "killing.py")

Balances = dict[str, list[int]]  # what the accounts of each class hold
class_names = st.sampled_from(["Ape", "Bat", "Cat", "Dog"])
numbers = st.integers(0, 1 << 20)
lines = st.integers(1, 400)


class Image(NamedTuple):
    """A backup image, and what the repository was like at its instant."""

    path: str
    balances: Balances


class History(RuleBasedStateMachine):
    """A repository, and a model of it."""

    images = Bundle("images")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="history-")
        self.home = Home(os.path.join(self.directory, "home"))
        self.home.create()
        self.server = self.home.server
        self.databases = os.path.join(self.directory, "zoo")
        self.master = os.path.join(self.databases, "zoo.db")
        repository.create(self.server, self.master)
        self.balances: Balances = {}
        self.made = 0
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("CSF_SIM_HOME", self.home.path)

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.patch.undo()
        shutil.rmtree(self.directory)

    @property
    def has_classes(self) -> bool:
        """Tell whether there are accounts."""
        return bool(self.balances)

    def path(self, name: str) -> str:
        """Return the path of a class's database."""
        return os.path.join(self.databases, f"{name}.db")

    def paths(self) -> list[str]:
        """Return the paths of all databases."""
        schema = os.path.join(self.databases, "zoo_schema.db")
        return [self.master, schema, *map(self.path, self.balances)]

    def choose(self, number: int) -> tuple[str, int]:
        """Return the class and the account that a number stands for."""
        name = list(self.balances)[number % len(self.balances)]
        return name, number // len(self.balances) % ACCOUNTS

    def after_transfer(self, one: int, two: int, amount: int) -> Balances:
        """Return what the accounts hold after a transfer."""
        balances = deepcopy(self.balances)
        for number, change in ((one, -amount), (two, amount)):
            name, account = self.choose(number)
            balances[name][account] += change
        return balances

    def found(self) -> Balances:
        """Return the actual balances of the accounts."""
        names = repository.classes(self.server, self.master)
        with self.server.transaction() as tx:
            return {
                name: [decode_balance(tx.read(self.path(name), n + 1)) for n in range(ACCOUNTS)]
                for name in names
            }

    def die(self, line: int, work: str, *arguments: str) -> None:
        """Do some work in a process that is killed before a line of it, unless it has fewer."""
        command = [sys.executable, KILLING, "die", str(line), work, *arguments]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) in [(0, b""), (-9, b"")]

    @rule(name=class_names)
    def create_a_class(self, name: str) -> None:
        """Create a class with accounts, unless it exists."""
        if name in self.balances:
            with pytest.raises(FileExistsError):
                repository.create_class(self.server, self.master, name)
        else:
            repository.create_class(self.server, self.master, name, durable=False)
            self.balances[name] = [OPENING_BALANCE] * ACCOUNTS

    @precondition(lambda self: self.has_classes)
    @rule(one=numbers, two=numbers, amount=numbers)
    def transfer(self, one: int, two: int, amount: int) -> None:
        """Move money."""
        after = self.after_transfer(one, two, amount)
        with self.server.transaction(durable=False) as tx:
            for number, change in ((one, -amount), (two, amount)):
                name, account = self.choose(number)
                balance = decode_balance(tx.read(self.path(name), account + 1))
                tx.write(self.path(name), account + 1, encode_balance(balance + change))
        self.balances = after

    @precondition(lambda self: self.has_classes)
    @rule(one=numbers)
    def regret(self, one: int) -> None:
        """Let a transaction fail, which changes nothing."""
        name, account = self.choose(one)
        with pytest.raises(ZeroDivisionError), self.server.transaction() as tx:
            tx.write(self.path(name), account + 1, encode_balance(0))
            raise ZeroDivisionError

    @rule(target=images, moves=st.lists(st.tuples(numbers, numbers, numbers), max_size=5))
    def back_up(self, moves: list[tuple[int, int, int]]) -> Image:
        """Back up while money moves; the image has the state at the beginning."""
        self.made += 1
        image = Image(os.path.join(self.directory, f"image{self.made}"), deepcopy(self.balances))
        read, turn = FileSource.read, threading.Lock()

        def read_after_transfer(source: FileSource, first: int, buffer: memoryview) -> None:
            with turn:
                if moves and self.has_classes:
                    self.transfer(*moves.pop())
            read(source, first, buffer)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FileSource, "read", read_after_transfer)
            assert osbackup.run(["-a", "-f", image.path, *self.paths()]) == 0
        return image

    @rule(image=images)
    def restore(self, image: Image) -> None:
        """Restore everything; classes created since must be removed first."""
        for name in self.balances.keys() - image.balances.keys():
            os.unlink(self.path(name))
        assert osrestore.run(["-a", "-f", image.path]) == 0
        self.balances = deepcopy(image.balances)

    @rule(image=images, number=numbers)
    def restore_damaged(self, image: Image, number: int) -> None:
        """Refuse to restore an image that is not sound."""
        with open(image.path, "rb") as file:
            content = bytearray(file.read())
        content[number % len(content)] ^= 1
        with open(f"{image.path}~", "wb") as file:
            file.write(content)
        assert osrestore.run(["-a", "-f", f"{image.path}~"]) == 1

    @precondition(lambda self: self.has_classes)
    @rule(line=lines, one=numbers, two=numbers)
    def die_in_a_transfer(self, line: int, one: int, two: int) -> None:
        """Kill a transfer; all of it has happened, or nothing."""
        source, target = self.choose(one)[0], self.choose(two)[0]
        moved = deepcopy(self.balances)
        moved[source][0] -= 7
        moved[target][0] += 7
        paths = self.path(source), self.path(target)
        self.die(line, "move", self.server.directory, *paths, "7")
        found = self.found()
        assert found in (self.balances, moved)
        self.balances = found

    @rule(line=lines, name=class_names)
    def die_in_creating_a_class(self, line: int, name: str) -> None:
        """Kill the creation of a class; it exists with all its money, or not at all."""
        if name not in self.balances:
            self.die(line, "create", self.server.directory, self.master, name)
            found = self.found()
            created = {**self.balances, name: [OPENING_BALANCE] * ACCOUNTS}
            assert found in (self.balances, created)
            self.balances = found

    @rule(line=lines)
    def die_in_a_backup(self, line: int) -> None:
        """Kill a backup; its image is worthless, and the databases are unchanged."""
        self.die(line, "backup", "-a", "-f", f"{self.directory}/cut", *self.paths())

    @rule(line=lines, image=images)
    def die_in_a_restore(self, line: int, image: Image) -> None:
        """Kill a restore; some databases may be replaced, so it must be repeated."""
        self.die(line, "restore", "-a", "-f", image.path)
        self.restore(image)

    @invariant()
    def everything_is_as_it_should_be(self) -> None:
        """Every database is sound, every account is right, and no lock is held."""
        assert check(self.server, self.master) == []
        assert self.found() == self.balances
        assert os.listdir(os.path.join(self.server.directory, "claims")) == []


TestAnyHistory = History.TestCase
TestAnyHistory.settings = settings(max_examples=scaled(8), stateful_step_count=20)
