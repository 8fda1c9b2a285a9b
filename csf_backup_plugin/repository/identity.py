"""Which repository this is: its permanent id, and its home, where it was when it got the id.

Copies of a repository's files have its id, too. So the machine and the path are recorded with the
id: if they differ now, the repository was moved or copied, and only a person knows which.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.values import Machine


class Identity(NamedTuple):
    """A repository's id and home.

    Attributes:
        id: the repository's id, 32 hexadecimal digits.
        machine_id: the machine-id(5) of its machine; empty if that had none.
        machine: the machine's name.
        master: the master database's path, resolved.
    """

    id: str
    machine_id: str
    machine: str
    master: str

    @classmethod
    def new(cls, machine: Machine, master: str) -> Identity:
        """Return a new identity, with a unique id."""
        return cls(os.urandom(16).hex(), *at_home(machine, master))

    def moved(self, machine: Machine, master: str) -> Identity:
        """Return the same repository's identity with its home here."""
        return Identity(self.id, *at_home(machine, master))

    def changes(self, machine: Machine, master: str) -> tuple[str, ...]:
        """Return in words how machine and path differ from the home; empty if they do not."""
        here = Identity(self.id, *at_home(machine, master))
        return tuple(
            f"{what} was {before or 'unknown'} and is {now or 'unknown'}"
            for what, before, now in (
                ("the machine-id", self.machine_id, here.machine_id),
                ("the machine's name", self.machine, here.machine),
                ("the path", self.master, here.master),
            )
            if before != now
        )

    def is_at(self, machine: Machine, master: str) -> bool:
        """Tell whether a machine and a path are the home."""
        return same_machine(self.machine_id, self.machine, machine) and self.master == master


def same_machine(machine_id: str, name: str, machine: Machine) -> bool:
    """Tell whether a machine has this id; the names are compared if there are no ids."""
    if machine_id or machine.id:
        return machine_id == machine.id
    return name == machine.name


def at_home(machine: Machine, master: str) -> tuple[str, str, str]:
    """Return the home part of an identity, for where a repository is now."""
    return machine.id, machine.name, master
