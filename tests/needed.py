"""What some tests need of the machine: without it, they fail in CI, and are skipped elsewhere."""

from __future__ import annotations

import os
import shutil
import zoneinfo
from typing import NoReturn

import pytest


def program(name: str, package: str) -> str:
    """Return a program's path.

    Args:
        name: of the program.
        package: in which Debian has it.
    """
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if path is None:
        lacking(f"{name} is not installed; apt-get install {package}")
    return path


def zone(name: str) -> zoneinfo.ZoneInfo:
    """Return a time zone."""
    try:
        return zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError:
        lacking(f"there is no time zone {name}; apt-get install tzdata")


def root() -> None:
    """Require root, who alone has mount namespaces with more than one user."""
    if os.geteuid() != 0:
        lacking("only root can be other users")


def lacking(what: str) -> NoReturn:
    """Fail or skip the test."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
