"""A trial: csf creates a class, and the result of class_create is checked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin import plugin
from csf_backup_plugin.contract.finding import (
    CANNOT_BE_KNOWN,
    DOES_NOT_FIT,
    FITS,
    Finding,
    raised,
)
from csf_backup_plugin.contract.hooks import missing_arguments
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import absolute, shown
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    import pluggy

#: The class that is created.
CLASS = "ContractTrial"
_NEW = "contract.db"  # the master database, where csf makes it together with its first class
_RETURN = "return the new database's absolute path, a str"


def master_database(target: str) -> str:
    """Return the master database for a trial.

    Args:
        target: an empty directory, or the master database of a repository made for this.

    Raises:
        UsageError: it is neither, or the repository is in use.
    """
    path = os.path.abspath(target)
    try:
        if not os.listdir(path):
            return os.path.join(path, _NEW)
        problem = f"{shown(path)} is not empty."
    except NotADirectoryError:
        manifest = Repository(path).manifest
        if not os.path.lexists(manifest):
            return path
        problem = f"{shown(path)} is in use: there is its manifest {shown(manifest)}."
    except OSError as error:
        problem = f"{shown(path)} cannot be read: {reason(error)}."
    to_do = "Give -try an empty directory, or the master database of a repository made for this."
    raise UsageError(problem, to_do)


def tried(manager: pluggy.PluginManager, master: str) -> Finding:
    """Create a class as csf does, with all plugins; return the finding about the result.

    Args:
        manager: csf's plugin manager.
        master: the repository's master database; what is created there stays.
    """
    if missing_arguments(manager, plugin.CLASS_HOOK):
        what = f"what {plugin.CLASS_HOOK} returns: it cannot be called"
        return Finding(CANNOT_BE_KNOWN, what, "fix the hook first")
    values = dict(zip(plugin.ARGUMENTS[plugin.CLASS_HOOK], (master, CLASS), strict=True))
    to_do = f"fix that; see {shown(os.path.dirname(master))} for what it left"
    if not os.path.exists(master):
        to_do = "give -try the master database of a repository, if csf needs one"
    try:
        result = getattr(manager.hook, plugin.CLASS_HOOK)(**values)
    except (Exception, SystemExit) as error:
        return raised(plugin.CLASS_HOOK, error, to_do)
    if problem := _problem(result, master):
        return Finding(DOES_NOT_FIT, f"{plugin.CLASS_HOOK} returns {problem}", _RETURN)
    return Finding(FITS, f"{plugin.CLASS_HOOK} has made {shown(result)}, which stays")


def _problem(result: object, master: str) -> str:
    """Return what is wrong with a result of class_create; empty if nothing is."""
    if not isinstance(result, str):
        kind = shown(type(result).__name__)
        return "None" if result is None else f"an object of type {kind}"
    try:
        path = absolute(result)
    except ValueError as error:
        return f"'{shown(result)}', which {error}"
    if not os.path.isfile(path):
        return f"{shown(result)}, and no such file is there"
    return f"{shown(result)}, the master database" if path == master else ""
