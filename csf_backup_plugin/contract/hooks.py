"""Whether csf's hooks are those that this plugin implements, and who else implements them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin import plugin
from csf_backup_plugin.contract.finding import CANNOT_BE_KNOWN, DOES_NOT_FIT, FITS, Finding
from csf_backup_plugin.contract.plugins import name_of
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pluggy

_WITHOUT = {
    plugin.COMMANDS_HOOK: "csf gets no command",
    plugin.CLASS_HOOK: "no class is recorded",
}


def hook_findings(manager: pluggy.PluginManager) -> Iterator[Finding]:
    """Yield the findings about both hooks, and the order in which class_create's are called."""
    for name in plugin.ARGUMENTS:
        specification = _specification(manager, name)
        if specification is None:
            what = f"there is no hook {name}, so {_WITHOUT[name]}"
            yield Finding(DOES_NOT_FIT, what, "specify it")
        else:
            yield from _wrong(name, specification) or [_fitting(name, specification)]
    if not missing_arguments(manager, plugin.CLASS_HOOK):
        yield from _order(getattr(manager.hook, plugin.CLASS_HOOK).get_hookimpls()[::-1])


def missing_arguments(manager: pluggy.PluginManager, name: str) -> list[str]:
    """Return the arguments that a hook lacks; all of them if there is no such hook."""
    return _missing(name, _specification(manager, name))


def _specification(manager: pluggy.PluginManager, name: str) -> Any:
    """Return csf's specification of a hook, as `pluggy.HookCaller.spec`, or None."""
    return getattr(getattr(manager.hook, name, None), "spec", None)


def _missing(name: str, specification: Any) -> list[str]:
    has = specification.argnames if specification else ()
    return [wanted for wanted in plugin.ARGUMENTS[name] if wanted not in has]


def _wrong(name: str, specification: Any) -> list[Finding]:
    """Return what is wrong with a hook."""
    found = [
        Finding(
            DOES_NOT_FIT,
            f"{name} has no argument {missing}",
            "give it that name, without a default",
        )
        for missing in _missing(name, specification)
    ]
    is_first = bool(specification.opts.get("firstresult"))
    if is_first and name != plugin.CLASS_HOOK:
        what = f"{name} is firstresult, so commands may be missing"
        found.append(Finding(DOES_NOT_FIT, what, "specify it without"))
    if not is_first and name == plugin.CLASS_HOOK:
        what = f"{name} is not firstresult, so it returns a list"
        found.append(Finding(DOES_NOT_FIT, what, "specify it so"))
    return found


def _fitting(name: str, specification: Any) -> Finding:
    arguments = ", ".join(map(shown, specification.argnames))
    first = ", firstresult" if specification.opts.get("firstresult") else ""
    return Finding(FITS, f"{name}({arguments}){first}")


def _order(called: Sequence[pluggy.HookImpl]) -> Iterator[Finding]:
    """Yield the implementations of class_create in the order in which they are called."""
    ours = next((at for at, impl in enumerate(called) if impl.plugin is plugin), None)
    for at, impl in enumerate(called):
        place = "" if ours is None else _place(at - ours)
        name = name_of(impl.plugin, impl.plugin_name)
        yield Finding(FITS, f"{plugin.CLASS_HOOK} runs {at + 1}. {name}{_marks(impl)}{place}")
    if all(impl.wrapper or impl.hookwrapper for impl in called):
        to_do = "name the function that returns it with all plugins"
        yield Finding(
            CANNOT_BE_KNOWN, "which plugin creates a class: none that is loaded here", to_do
        )


def _place(distance: int) -> str:
    if distance == 0:
        return ": takes the lock"
    return ": outside of the lock" if distance < 0 else ": inside of the lock"


def _marks(impl: pluggy.HookImpl) -> str:
    marks = {
        "wrapper": impl.wrapper,
        "hookwrapper": impl.hookwrapper,
        "tryfirst": impl.tryfirst,
        "trylast": impl.trylast,
    }
    given = ", ".join(mark for mark, is_given in marks.items() if is_given)
    return f" ({given})" if given else ""
