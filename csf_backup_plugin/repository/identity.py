"""Which repository this is: an id that it keeps, and where it was at home when it got it.

Copies of a repository's files carry its id along. So the machine and the path go with it: where
they are others now, the repository was moved or copied, and only a person knows which.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Machine


class Identity(NamedTuple):
    """A repository's id and home.

    Attributes:
        id: 32 hexadecimal digits, the repository's own.
        machine_id: the machine-id(5) of its machine; empty where that had none.
        machine: the machine's name.
        master: the master database's path, resolved.
    """

    id: str
    machine_id: str
    machine: str
    master: str

    @classmethod
    def new(cls, machine: Machine, master: str) -> Identity:
        """Return an identity that no repository has had."""
        return cls(os.urandom(16).hex(), *at_home(machine, master))

    def moved(self, machine: Machine, master: str) -> Identity:
        """Return the same repository's identity, at home here."""
        return Identity(self.id, *at_home(machine, master))

    def changes(self, machine: Machine, master: str) -> tuple[str, ...]:
        """Return what is not as it was at home, in words; none if all is."""
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
        """Tell whether this is the machine and the path."""
        return same_machine(self.machine_id, self.machine, machine) and self.master == master


def same_machine(machine_id: str, name: str, machine: Machine) -> bool:
    """Tell whether a machine is the one with an id and a name; that counts where it has no id."""
    if machine_id or machine.id:
        return machine_id == machine.id
    return name == machine.name


def at_home(machine: Machine, master: str) -> tuple[str, str, str]:
    """Return the part of an identity that says where a repository is."""
    return machine.id, machine.name, master
