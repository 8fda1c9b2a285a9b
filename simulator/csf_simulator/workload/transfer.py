"""What the workload does: money moves between accounts, and its sum never changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import NamedTuple

from csf_simulator.database.overlay import Overlay
from csf_simulator.repository.accounts import decode_balance, encode_balance
from csf_simulator.repository.entries import decode_entry
from csf_simulator.server.server import Server

_FIRST_CLASS = 2  # in the master database; sector 1 is the schema database's
# So much that the errors of a wrong copy hardly ever cancel out. Accounts may be overdrawn.
_MOST = 1_000_000


class Totals(NamedTuple):
    """The sums of all accounts of a repository.

    Attributes:
        held: what they hold.
        opened: what they were opened with.
    """

    held: int
    opened: int


def transfer(server: Server, master: str, random: Random, *, durable: bool) -> None:
    """Move money between two accounts in one transaction.

    The classes are those the master database lists at that moment: new ones take part.

    Args:
        server: the home of the repository.
        master: its master database, which has classes.
        random: chooses the accounts and the amount.
        durable: as for `Server.transaction`.

    Raises:
        DatabaseInUse: a database is being restored.
    """
    amount = random.randint(1, _MOST)
    with server.transaction(durable=durable) as tx:
        numbers = random.choices(range(_FIRST_CLASS, tx.header(master).sectors), k=2)
        for number, change in zip(numbers, (-amount, amount), strict=True):
            entry = decode_entry(tx.read(master, number))
            path = os.path.join(os.path.dirname(master), entry.file_name)
            account = random.randint(1, tx.header(path).accounts)
            balance = decode_balance(tx.read(path, account))
            tx.write(path, account, encode_balance(balance + change))


def totals(server: Server, master: str) -> Totals:
    """Sum up all accounts of a repository at an instant between transactions.

    Raises:
        DatabaseInUse: the repository is being restored.
    """
    held = opened = 0
    with server.between_transactions() as pause:
        pause.require_usable(master)
        for path in _classes(master):
            with closing(Overlay(path)) as database:
                accounts = range(1, database.header.accounts + 1)
                held += sum(decode_balance(database.read(number)) for number in accounts)
                opened += database.header.opening
    return Totals(held, opened)


def _classes(master: str) -> Iterator[str]:
    """Yield the paths of the class databases."""
    with closing(Overlay(master)) as database:
        for number in range(_FIRST_CLASS, database.header.sectors):
            entry = decode_entry(database.read(number))
            yield os.path.join(os.path.dirname(master), entry.file_name)
