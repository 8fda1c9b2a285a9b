"""A repository's identity, and how a move or copy is recognised."""

from __future__ import annotations

import pytest

from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.repository.identity import Identity

HERE = Machine("a" * 32, "db1", "2026-11-25T12:00:00+00:00")


def test_a_new_identity_is_one_that_nobody_has() -> None:
    """The repository is at home where its id was made."""
    first, second = (Identity.new(HERE, "/r/lib.db") for _ in range(2))
    assert len(first.id) == 32
    assert first.id != second.id
    assert first[1:] == ("a" * 32, "db1", "/r/lib.db")
    assert first.changes(HERE, "/r/lib.db") == ()


@pytest.mark.parametrize(
    ("machine", "master", "words"),
    [
        (HERE, "/q/lib.db", ("the path was /r/lib.db and is /q/lib.db",)),
        (HERE._replace(name="db2"), "/r/lib.db", ("the machine's name was db1 and is db2",)),
        (HERE._replace(id=""), "/r/lib.db", (f"the machine-id was {'a' * 32} and is unknown",)),
    ],
)
def test_each_change_is_reported(machine: Machine, master: str, words: tuple[str, ...]) -> None:
    """They are reported until it is at home there."""
    identity = Identity.new(HERE, "/r/lib.db")
    assert identity.changes(machine, master) == words
    moved = identity.moved(machine, master)
    assert moved.id == identity.id
    assert moved.changes(machine, master) == ()


def test_a_machine_is_known_by_its_id_and_without_one_by_its_name() -> None:
    """A name may change, or be used twice."""
    identity = Identity.new(HERE, "/r/lib.db")
    assert identity.is_at(HERE._replace(name="db2"), "/r/lib.db")
    assert not identity.is_at(HERE._replace(id="b"), "/r/lib.db")
    assert not identity.is_at(HERE._replace(id=""), "/r/lib.db")
    assert not identity.is_at(HERE, "/q/lib.db")
    nameless = Identity.new(HERE._replace(id=""), "/r/lib.db")
    assert nameless.is_at(HERE._replace(id=""), "/r/lib.db")
    assert not nameless.is_at(HERE._replace(id="", name="db2"), "/r/lib.db")
