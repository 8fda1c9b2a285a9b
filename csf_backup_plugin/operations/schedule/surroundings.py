"""The surroundings of csf in which a schedule runs: program, user, variables, mailer."""

from __future__ import annotations

import os
import pwd
import re
import shutil
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import has_control_character, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol.values import Machine

#: The directories in which cron looks for sendmail before PATH.
_MAILERS = "/usr/sbin:/usr/lib"
_VARIABLES = re.compile(r"PATH|OS_ROOTDIR|CSF_BACKUP_[A-Z0-9_]+")
# Characters that a crontab or a unit would not read as part of a user's name.
_USER = re.compile(r"[^\s:%$\"'\\-][^\s:%$\"'\\]*")


class Surroundings(NamedTuple):
    """The surroundings of this call of csf.

    Attributes:
        csf: the absolute path of csf.
        user: the name of the user.
        machine: this machine.
        variables: the environment variables that commands depend on, with their values.
        mailer: the path of sendmail; empty if there is none.
    """

    csf: str
    user: str
    machine: Machine
    variables: Mapping[str, str]
    mailer: str


def look_around(called: str, environ: Mapping[str, str], machine: Machine) -> Surroundings:
    """Return the surroundings of this call.

    Args:
        called: how csf was called, by a path or a name.
        environ: the environment.
        machine: this machine.

    Raises:
        UsageError: something cannot be written in a schedule.
    """
    found = variables(environ)
    for name, value in found.items():
        if has_control_character(value):
            raise UsageError(
                f"{name}={shown(value)} holds a control character, and cannot be in a schedule.",
                f"Set {name} to another value, or unset it.",
            )
    path = f"{_MAILERS}:{environ.get('PATH', os.defpath)}"
    mailer = shutil.which("sendmail", path=path) or ""
    return Surroundings(program(called, environ), _user(), machine, found, mailer)


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that commands depend on."""
    return {
        name: value
        for name, value in sorted(environ.items())
        if value and _VARIABLES.fullmatch(name)
    }


def program(called: str, environ: Mapping[str, str]) -> str:
    """Return the absolute path of csf; look for ``csf`` on PATH if `called` is not found.

    Args:
        called: how csf was called, by a path or a name.
        environ: the environment.

    Raises:
        UsageError: csf cannot be found.
    """
    path = environ.get("PATH", os.defpath)
    found = shutil.which(called, path=path) or shutil.which("csf", path=path)
    if found is None or has_control_character(found):
        raise UsageError(
            f"It is not known where csf is: it was called as {shown(called)}, and is not on PATH.",
            "Call csf by its absolute path.",
        )
    return os.path.abspath(found)


def _user() -> str:
    """Return the name of the user."""
    number = os.geteuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        name = ""
    if not _USER.fullmatch(name):
        called = f"named {shown(name)}" if name else "without a name"
        raise UsageError(
            f"The user {number} is {called}, and a schedule cannot say so.",
            "Run the command as the user who is to make the backups.",
        )
    return name
