"""All kinds of faults, found in the modules that define them.

To add one, write a subclass of `Effect` in one of these modules. Error messages, `csf-sim fault
--help` and the table in docs/simulator.md are made from it; a test shows the row that is missing.
"""

from __future__ import annotations

from collections.abc import Collection
from types import ModuleType

from csf_simulator.faults import at_start, damaged_image, while_writing
from csf_simulator.faults.effect import Effect

TOOLS = ("osbackup", "osrestore")


def _effects(module: ModuleType) -> list[type[Effect]]:
    """Return the effects that a module defines, in its order."""
    found = [value for value in vars(module).values() if isinstance(value, type)]
    return [
        effect
        for effect in found
        if issubclass(effect, Effect) and effect.__module__ == module.__name__
    ]


KINDS = {
    effect.kind: effect
    for module in (while_writing, damaged_image, at_start)
    for effect in _effects(module)
}


def kinds_of(tool: str) -> dict[str, type[Effect]]:
    """Return the kinds of faults that a utility can have."""
    return {kind: effect for kind, effect in KINDS.items() if tool in effect.tools}


def spared_by(options: Collection[str]) -> list[str]:
    """Return the kinds of faults that cannot act in a run with these options."""
    return [kind for kind, effect in KINDS.items() if effect.spared_by in options]


def described() -> list[tuple[str, str]]:
    """Return each kind as it is typed, and what happens, for help and for docs/simulator.md."""
    return [(f"{kind} {effect.metavar}".rstrip(), effect.happens) for kind, effect in KINDS.items()]
