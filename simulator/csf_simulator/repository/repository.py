"""Make master repositories and their classes.

A master repository is a directory with the master database, which lists the others, the schema
database, and one database for each class. That there are two databases and one per class is what
is known of real repositories; what is in them is invented here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain, repeat

from csf_simulator.database.building import random_payloads
from csf_simulator.database.header import Header
from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.transaction import Transaction
from csf_simulator.repository.accounts import ACCOUNTS, OPENING_BALANCE, encode_balance
from csf_simulator.repository.entries import Entry, decode_entry, encode_entry
from csf_simulator.repository.names import RepositoryError, class_path, schema_path
from csf_simulator.server.server import Server


def create(server: Server, master: str, *, classes: int = 0, size: int = 0) -> str:
    """Make a master repository, and its directory if it is missing.

    Args:
        server: the home whose transactions will touch it.
        master: the master database to make.
        classes: how many classes it gets: Class1, Class2, ... They are not flushed to the disk
            one by one, which a power cut right afterwards could show.
        size: bytes in each class's database; what the accounts leave free holds random data.

    Returns:
        The absolute path of the master database.

    Raises:
        FileExistsError: a database is there already; nothing was made.
    """
    master = os.path.abspath(master)
    names = [f"Class{number}" for number in range(1, classes + 1)]
    for path in (class_path(master, name) for name in names):
        if os.path.lexists(path):  # before anything is made
            raise FileExistsError(f"{path} exists already")
    os.makedirs(os.path.dirname(master), exist_ok=True)
    schema = Entry(os.urandom(16), os.path.basename(schema_path(master)), "")
    with server.transaction() as tx:
        tx.create(master, Header(os.urandom(16), 0, "master"), [encode_entry(schema)])
        tx.create(schema_path(master), Header(schema.database_id, 0, "schema"))
    for name in names:
        create_class(server, master, name, size=size, durable=False)
    return master


def create_class(
    server: Server, master: str, class_name: str, *, size: int = 0, durable: bool = True
) -> str:
    """Add a class and its database to a repository, or change nothing.

    The cost does not grow with the number of classes: creating the file reserves the name.

    Args:
        server: the home of the repository.
        master: its master database.
        class_name: name of the class.
        size: least length of the database in bytes.
        durable: flush everything to the disk before returning.

    Returns:
        The absolute path of the new database.

    Raises:
        FileExistsError: there is a database of that name.
        RepositoryError: no class can have the name, or `master` is not a master database.
    """
    master = os.path.abspath(master)
    path = class_path(master, class_name)
    entry = Entry(os.urandom(16), os.path.basename(path), class_name)
    opened = Header(entry.database_id, 0, "class", 0, ACCOUNTS, ACCOUNTS * OPENING_BALANCE)
    with server.transaction(durable=durable) as tx:
        _require_master(tx, master)
        tx.create(path, opened, _class_payloads(size))
        tx.append(master, encode_entry(entry))
    return path


def classes(server: Server, master: str) -> list[str]:
    """Return the names of a repository's classes, oldest first."""
    with server.transaction() as tx:
        _require_master(tx, master)
        numbers = range(1, tx.header(master).sectors)
        entries = [decode_entry(tx.read(master, number)) for number in numbers]
    return [entry.class_name for entry in entries if entry.class_name]


def _require_master(tx: Transaction, master: str) -> None:
    try:
        kind = tx.header(master).kind
    except FileNotFoundError:
        raise RepositoryError(f"there is no master database {master}") from None
    if kind != "master":
        raise RepositoryError(f"{master} is a {kind} database, not a master database")


def _class_payloads(size: int) -> Iterator[bytes]:
    """Yield what the data sectors of a new class database of `size` bytes hold."""
    filler = max(0, -(-size // SECTOR) - ACCOUNTS - 1)
    balances = repeat(encode_balance(OPENING_BALANCE), ACCOUNTS)
    return chain(balances, random_payloads(filler))
