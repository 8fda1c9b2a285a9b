"""What the workload does in one transaction, and the sums that tell whether it was right."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from csf_simulator.repository import repository
from csf_simulator.repository.accounts import decode_balance, encode_balance
from csf_simulator.repository.check import check
from csf_simulator.server.refusals import DatabaseInUse
from csf_simulator.server.server import Server
from csf_simulator.workload.transfer import Totals, totals, transfer


@pytest.fixture
def master(server: Server, tmp_path: Path) -> str:
    """A repository with two classes."""
    return repository.create(server, str(tmp_path / "zoo" / "zoo.db"), classes=2)


def balances(server: Server, master: str, name: str) -> list[int]:
    """Return what the accounts of a class hold."""
    path = os.path.join(os.path.dirname(master), f"{name}.db")
    with server.transaction() as tx:
        return [decode_balance(tx.read(path, number)) for number in range(1, 17)]


def test_money_moves_and_its_sum_stays(server: Server, master: str) -> None:
    """Money moves between all classes, and soon all accounts take part."""
    random = Random(1)
    for _ in range(200):
        transfer(server, master, random, durable=False)
    for name in ("Class1", "Class2"):
        assert 1000 not in balances(server, master, name)
    assert sum(balances(server, master, "Class1")) != 16000
    assert totals(server, master) == Totals(32000, 32000)
    assert check(server, master) == []


def test_a_new_class_takes_part(server: Server, master: str) -> None:
    """The very next transaction may use it."""
    repository.create_class(server, master, "New")
    random = Random(1)
    for _ in range(20):
        transfer(server, master, random, durable=False)
    assert set(balances(server, master, "New")) != {1000}
    assert totals(server, master) == Totals(48000, 48000)


def test_one_class_is_enough(server: Server, tmp_path: Path) -> None:
    """With one class, money moves between its accounts, or from one to itself."""
    master = repository.create(server, str(tmp_path / "one" / "one.db"), classes=1)
    random = Random(1)
    for _ in range(100):
        transfer(server, master, random, durable=False)
    assert totals(server, master) == Totals(16000, 16000)
    assert check(server, master) == []


def test_the_same_number_makes_the_same_transfers(server: Server, master: str) -> None:
    """The random numbers depend on the number only."""
    transfer(server, master, Random(5), durable=False)
    amount = min(balances(server, master, "Class1") + balances(server, master, "Class2")) - 1000
    transfer(server, master, Random(5), durable=False)
    again = min(balances(server, master, "Class1") + balances(server, master, "Class2")) - 1000
    assert again == 2 * amount < 0


def test_totals_tell_what_is_missing(server: Server, master: str) -> None:
    """Missing money is reported."""
    with server.transaction() as tx:
        tx.write(os.path.join(os.path.dirname(master), "Class1.db"), 7, encode_balance(990))
    assert totals(server, master) == Totals(31990, 32000)


def test_totals_of_a_repository_under_restore_are_none(server: Server, master: str) -> None:
    """Half of the old state and half of the new could have any sum."""
    with server.restoring([master]), pytest.raises(DatabaseInUse):
        totals(server, master)
