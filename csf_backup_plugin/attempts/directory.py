"""Where the ledger is: a directory of this machine, which outlives the commands."""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import TYPE_CHECKING

from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "CSF_BACKUP_STATE_DIR"
_OF_A_SERVICE = "STATE_DIRECTORY"  # systemd.exec(5): StateDirectory=
_OF_A_USER = "XDG_STATE_HOME"  # XDG Base Directory Specification
_NAME = "csf-backup"


class NoDirectory(ValueError):
    """There is no directory for the ledger; the message says why."""


def state_directory(environ: Mapping[str, str]) -> str:
    """Return the directory of the ledger; it need not exist.

    The first directory that the environment names is used, or fails: if another one were used
    instead, the ledger would be in several places, and only one of them would be read.

    Args:
        environ: the environment, which names it.

    Raises:
        NoDirectory: none is named by an absolute path.
    """
    if own := environ.get(VARIABLE):
        if not own.startswith("/"):
            raise NoDirectory(f"{VARIABLE} is not an absolute path: {shown(own)}")
        return own
    if (service := environ.get(_OF_A_SERVICE, "").partition(":")[0]).startswith("/"):
        return service
    # The specification: a relative path is ignored.
    if (state := environ.get(_OF_A_USER, "")).startswith("/"):
        return os.path.join(state, _NAME)
    return os.path.join(_home(environ), ".local", "state", _NAME)


def _home(environ: Mapping[str, str]) -> str:
    if (home := environ.get("HOME", "")).startswith("/"):
        return home
    with contextlib.suppress(KeyError):
        if (home := pwd.getpwuid(os.geteuid()).pw_dir).startswith("/"):
            return home
    raise NoDirectory(f"this user has no home directory; {VARIABLE} can name another directory")


def make_directory(path: str, mode: int = 0o755) -> None:
    """Create a missing directory; its parents get mode 0700, as XDG says.

    Args:
        path: the directory.
        mode: its mode, whatever the umask is.

    Raises:
        OSError: it cannot be made.
    """
    path = path.rstrip("/")
    if os.path.isdir(f"{path}/"):
        return
    make_directory(os.path.dirname(path), 0o700)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
        os.chmod(path, mode)
