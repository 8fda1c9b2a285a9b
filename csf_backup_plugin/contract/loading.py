"""The plugin manager of a csf, and how csf has filled it."""

from __future__ import annotations

import contextlib
import functools
import importlib
from typing import TYPE_CHECKING, Any, NamedTuple

import pluggy

from csf_backup_plugin import plugin
from csf_backup_plugin.contract.finding import Finding, raised
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AGAIN = "fix that, and run this again"


class Loaded(NamedTuple):
    """A plugin manager as csf has made it.

    Attributes:
        name: how it was named.
        manager: the plugin manager.
        groups: the entry-point groups that were loaded into it.
        is_checked: whether csf has called its `check_pending`.
    """

    name: str
    manager: pluggy.PluginManager
    groups: tuple[str, ...]
    is_checked: bool


class Refused(Exception):
    """csf has failed before it had a plugin manager.

    Args:
        finding: the reason.
    """

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


def load(name: str) -> Loaded:
    """Return the plugin manager that a name refers to: an object, or a function that returns it.

    Args:
        name: ``MODULE:FUNCTION``, or ``MODULE:OBJECT``.

    Raises:
        UsageError: there is none of that name.
        Refused: csf has raised an error.
    """
    groups, checked = list[tuple[object, str]](), list[object]()

    def note_group(manager: object, group: str, name: str | None = None) -> None:
        groups.append((manager, group))

    with (
        _noted("load_setuptools_entrypoints", note_group),
        _noted("check_pending", checked.append),
    ):
        manager = _manager(name)
    return Loaded(
        name,
        manager,
        tuple(group for other, group in groups if other is manager),
        any(other is manager for other in checked),
    )


@contextlib.contextmanager
def _noted(name: str, note: Callable[..., object]) -> Iterator[None]:
    """Note the calls of a plugin manager's method while the block runs.

    Afterwards, a plugin manager does not show which groups it loaded, nor whether it was checked.
    """
    method = getattr(pluggy.PluginManager, name)

    @functools.wraps(method)
    def noting(*args: Any, **named: Any) -> Any:
        note(*args, **named)
        return method(*args, **named)

    setattr(pluggy.PluginManager, name, noting)
    try:
        yield
    finally:
        setattr(pluggy.PluginManager, name, method)


def _manager(name: str) -> pluggy.PluginManager:
    module, _, attribute = name.partition(":")
    if not all(map(str.isidentifier, (*module.split("."), attribute))):
        raise UsageError(
            f"{shown(name)} is not of the form MODULE:FUNCTION.",
            "Name the function of csf's that returns its plugin manager, such as csf.main:plugins.",
        )
    imported = _module(module)
    with _refused_if_raised(name):
        found = getattr(imported, attribute, None)
    if callable(found) and not isinstance(found, pluggy.PluginManager):
        with _refused_if_raised(f"{name}()"):
            found = found()
    if not isinstance(found, pluggy.PluginManager):
        raise UsageError(
            f"{name} is neither a plugin manager nor a function that returns one.",
            "Name the function of csf's that returns its pluggy.PluginManager.",
        )
    return found


def _module(name: str) -> object:
    with _refused_if_raised(f"importing {name}"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if not f"{name}.".startswith(f"{error.name}."):  # csf's module needs another one
                raise
    raise UsageError(
        f"There is no module {name}.",
        "Run this with the Python of csf's environment, and in the module's directory if the "
        "module is not installed.",
    )


@contextlib.contextmanager
def _refused_if_raised(step: str) -> Iterator[None]:
    """Turn an error that csf raises in a step into a finding."""
    try:
        yield
    except pluggy.PluginValidationError as error:
        to_do = _hooks_wanted() if error.plugin is plugin else _AGAIN
        raise Refused(raised(step, error, to_do)) from None
    except (Exception, SystemExit) as error:
        raise Refused(raised(step, error, _AGAIN)) from None


def _hooks_wanted() -> str:
    hooks = (f"{hook}({', '.join(names)})" for hook, names in plugin.ARGUMENTS.items())
    return f"specify {' and '.join(hooks)}"
