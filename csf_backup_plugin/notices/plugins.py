"""Other distributions' plugins: each is loaded and called separately.

So a broken plugin does not keep others from being called. Entry points are those of
https://packaging.python.org/en/latest/specifications/entry-points/.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
from typing import TYPE_CHECKING

import pluggy

from csf_backup_plugin import hookspecs
from csf_backup_plugin.hookspecs import PROJECT, Refused
from csf_backup_plugin.log import traced
from csf_backup_plugin.names import shown
from csf_backup_plugin.notices.aside import aside, in_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hookspecs import Attempt, Outcome

_NOTHING_ELSE = "Nothing else is changed by that; -verbose shows where it happened."


class Plugin:
    """A plugin, and how it is called.

    Args:
        title: its name, and where its code is.
        manager: a plugin manager that has only this plugin.
        cancellation: the command's.
        warn: called with a sentence if the plugin fails.

    Attributes:
        title: as above.
    """

    def __init__(
        self,
        title: str,
        manager: pluggy.PluginManager,
        cancellation: Cancellation,
        warn: Callable[[str], None],
    ) -> None:
        self.title = title
        self._hook = manager.hook
        self._cancellation = cancellation
        self._warn = warn

    def starting(self, attempt: Attempt) -> str:
        """Report an attempt to it; return its reason to refuse, or an empty string."""
        try:
            self._call("attempt_starting", lambda: self._hook.attempt_starting(attempt=attempt))
        except Refused as error:
            return f"{self.title}: {_reason(error)}"
        return ""

    def finished(self, outcome: Outcome) -> None:
        """Report to it how an attempt has ended."""
        try:
            self._call("attempt_finished", lambda: self._hook.attempt_finished(outcome=outcome))
        except Refused as error:
            self._warn(f"{self.title} cannot refuse an attempt that has ended: {in_words(error)}.")

    def _call(self, name: str, hook: Callable[[], object]) -> None:
        """Call one of its hooks.

        Raises:
            Refused: the hook has refused.
        """
        try:
            with aside(self._cancellation):
                hook()
        except Refused:
            raise
        except BaseException as error:
            traced(error)
            self._warn(f"{name} of {self.title} failed: {in_words(error)}. {_NOTHING_ELSE}")


def load(cancellation: Cancellation, warn: Callable[[str], None]) -> list[Plugin]:
    """Return new objects for the installed plugins, sorted by name.

    Args:
        cancellation: the command's.
        warn: called with a sentence about each plugin that cannot be called.
    """
    found: dict[str, Plugin | None] = {}
    try:
        points = sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda one: one.name)
    except Exception as error:
        traced(error)
        warn(f"no plugin is called, because they cannot be listed: {in_words(error)}")
        return []
    for point in points:
        title = f"the plugin {shown(point.name)} ({shown(point.value)})"
        if point.name in found:
            warn(f"{title} is not called, because another one has the same name")
            continue
        found[point.name] = None
        try:
            with aside(cancellation):
                manager = _manager(point.name)
        except BaseException as error:
            traced(error)
            warn(f"{title} is not called, because it cannot be loaded: {in_words(error)}")
        else:
            found[point.name] = Plugin(title, manager, cancellation, warn)
    return [*filter(None, found.values())]


def are_installed() -> bool:
    """Return whether there may be plugins, which want to be called before anything else is done."""
    try:
        return bool(importlib.metadata.entry_points(group=PROJECT))
    except Exception:  # `load` reports it
        return True


def _manager(name: str) -> pluggy.PluginManager:
    """Return a manager with one plugin; fail if the plugin has unknown hooks."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.load_setuptools_entrypoints(PROJECT, name)
    manager.check_pending()
    return manager


def _reason(error: Refused) -> str:
    with contextlib.suppress(Exception):  # it may be anything
        if said := shown(" ".join(str(error).split())).removesuffix("."):
            return said
    return "no reason was given"
