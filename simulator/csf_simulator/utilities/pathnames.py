"""Database pathnames as ObjectStore writes them, turned into paths of this machine."""

from __future__ import annotations

import os

from csf_simulator.program.errors import DATABASE_NOT_FOUND, UtilityError


def local_path(name: str) -> str:
    """Return the absolute path of a file database.

    Args:
        name: a path, or `host:/path`; a colon after a slash is an ordinary character (ObjectStore
            6.0 manual).

    Raises:
        UtilityError: a rawfs database, `host::/path`, or one of another host: neither is simulated;
            or no name a file can have.
    """
    if "\0" in name:
        raise UtilityError(f"{name!r}: no name has a null", DATABASE_NOT_FOUND)
    host, colon, path = name.partition(":")
    if not colon or "/" in host:
        return os.path.abspath(name)
    if path.startswith(":"):
        raise UtilityError(f"{name}: rawfs databases are not simulated", DATABASE_NOT_FOUND)
    if host not in ("localhost", os.uname().nodename):
        raise UtilityError(f"{name}: only this host is simulated", DATABASE_NOT_FOUND)
    return os.path.abspath(path)
