"""Whether csf loads this plugin, and reports plugins that do not fit."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from csf_backup_plugin import plugin
from csf_backup_plugin.contract.finding import CANNOT_BE_KNOWN, DOES_NOT_FIT, FITS, Finding
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pluggy

    from csf_backup_plugin.contract.loading import Loaded


def plugin_findings(loaded: Loaded) -> Iterator[Finding]:
    """Yield the findings about a csf's plugins, apart from its hooks."""
    yield _project(loaded.manager)
    if loaded.groups:
        yield _group(loaded.groups)
    yield _this_plugin(loaded)
    unknown = [*_unknown_hooks(loaded.manager)]
    yield from unknown or [_check(loaded)]


def name_of(registered: object, name: str) -> str:
    """Return a plugin's name for a message; if it has only a number, the name of its type."""
    return shown(type(registered).__name__ if name == str(id(registered)) else name)


def _project(manager: pluggy.PluginManager) -> Finding:
    project = manager.project_name
    if project == plugin.PROJECT:
        return Finding(FITS, f"the plugin manager's project name is {project}")
    return Finding(
        DOES_NOT_FIT,
        f"project name {shown(str(project))}: no plugin's hook is seen",
        f"name it {plugin.PROJECT}",
    )


def _group(groups: tuple[str, ...]) -> Finding:
    if plugin.GROUP in groups:
        return Finding(FITS, f"the entry-point group {plugin.GROUP} is loaded")
    names = ", ".join(map(shown, groups))
    return Finding(DOES_NOT_FIT, f"entry-point group {names} is loaded", f"load {plugin.GROUP}")


def _this_plugin(loaded: Loaded) -> Finding:
    """Return the finding whether this plugin is loaded, and if not, why."""
    manager = loaded.manager
    if manager.is_registered(plugin):
        return Finding(FITS, f"this plugin is loaded, as {shown(str(manager.get_name(plugin)))}")
    installed = [e.name for e in entry_points(group=plugin.GROUP) if e.value == plugin.__name__]
    if not installed:
        to_do = "install it into csf's environment"
        return Finding(CANNOT_BE_KNOWN, "how csf loads this plugin: it is not installed", to_do)
    name = installed[0]
    if manager.is_blocked(name):
        return Finding(DOES_NOT_FIT, f"this plugin is blocked, as {name}", "do not block it")
    if manager.get_plugin(name) is not None:
        to_do = "register that by another name"
        return Finding(DOES_NOT_FIT, f"another plugin has this one's name, {name}", to_do)
    if loaded.groups:
        to_do = f'call load_setuptools_entrypoints("{plugin.GROUP}")'
        return Finding(DOES_NOT_FIT, "this plugin is not loaded", to_do)
    to_do = "name the function that returns it with all plugins"
    return Finding(CANNOT_BE_KNOWN, f"which plugins csf loads: {loaded.name} loads none", to_do)


def _unknown_hooks(manager: pluggy.PluginManager) -> Iterator[Finding]:
    """Yield the findings about plugins' hooks that csf lacks, as `check_pending` finds them."""
    for name, registered in manager.list_name_plugin():
        for hook in manager.get_hookcallers(registered) or ():
            impls = [impl for impl in hook.get_hookimpls() if impl.plugin is registered]
            if not hook.has_spec() and not all(impl.optionalhook for impl in impls):
                yield Finding(
                    DOES_NOT_FIT,
                    f"csf has no hook {shown(hook.name)}; plugin {name_of(registered, name)} has",
                    "call check_pending() to find out",
                )


def _check(loaded: Loaded) -> Finding:
    if loaded.is_checked:
        return Finding(FITS, "check_pending() is called, and csf has all plugins' hooks")
    to_do = "call check_pending()"
    return Finding(CANNOT_BE_KNOWN, "whether csf reports hooks that it does not have", to_do)
