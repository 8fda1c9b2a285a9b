"""borg and restic, where they are installed: a backup of a directory into an empty repository.

Both compress, and restic encrypts, as they do unless told otherwise.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.timing import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class _Tool(NamedTuple):
    """How a tool is called.

    Attributes:
        version: what asks for its version.
        begin: what makes its repository.
        backup: what backs a directory up, whose name follows.
        variables: what both need; {} is a directory of its own.
    """

    version: str
    begin: str
    backup: str
    variables: Mapping[str, str]


_TOOLS = {
    "borg": _Tool(
        "--version",
        "init --encryption=none",
        "create ::all",
        {"BORG_REPO": "{}/repository", "BORG_BASE_DIR": "{}"},
    ),
    "restic": _Tool(
        "version",
        "init",
        "backup",
        {
            "RESTIC_REPOSITORY": "{}/repository",
            "RESTIC_CACHE_DIR": "{}/cache",
            "RESTIC_PASSWORD": "benchmark",
        },
    ),
}


def cases(root: Path, directory: str, environment: Mapping[str, str]) -> Iterator[Case]:
    """Yield a case for each tool that is installed.

    Args:
        root: the directory that what they keep lies in.
        directory: what they back up.
        environment: theirs otherwise.
    """
    for name, tool in _TOOLS.items():
        if shutil.which(name):
            where = root / name
            own = {key: value.format(where) for key, value in tool.variables.items()}
            settings = [f"{key}={value}" for key, value in own.items()]
            begin = functools.partial(
                _begin, where, [name, *tool.begin.split()], {**environment, **own}
            )
            argv = ["env", *settings, name, *tool.backup.split(), directory]
            yield Case(_with_version(name, tool), argv, prepare=begin)


def _begin(where: Path, argv: list[str], environment: Mapping[str, str]) -> None:
    """Make an empty repository, in place of the last one."""
    if where.exists():
        shutil.rmtree(where)
    where.mkdir()
    subprocess.run(argv, env=environment, check=True, capture_output=True)


def _with_version(name: str, tool: _Tool) -> str:
    told = subprocess.run([name, tool.version], check=True, capture_output=True, text=True).stdout
    return " ".join(told.split()[:2])
