"""Read any number of files on the host with one call."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh.errors import Answer, Status, check, os_error
from csf_backup_plugin.hosts.ssh.looking import entries_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.values import Entry
    from csf_backup_plugin.hosts.ssh.connection import Connection

_END = b"//\0"  # no name has a slash
_WIDTH = 8  # digits of a length
_COPIED = re.compile(rb"(?:^|\n)(\d+) bytes? [^\n]*\Z")  # the last line that dd prints
_BLOCK = b"block "


class Reading:
    """The part of a host that reads files."""

    _connection: Connection

    def read_directory(
        self, path: str, ending: str
    ) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
        """Return what is in a directory, and the contents of its files with that ending."""
        answer = self._connection.ask("read_directory", str(common.LARGEST), path, ending)
        there, end, rest = answer.output.partition(_END)
        links, _, told = rest.partition(_END)
        entries = entries_of(answer._replace(output=there + end + links), path)
        read = dict(_contents_of(told, path))
        names = [entry.name for entry in entries if entry.name.endswith(ending)]
        return entries, {name: read.get(name) for name in names}

    def read(self, path: str) -> bytes | None:
        """Return a file's contents, or None if there is no file."""
        (found,) = self.read_each([path])
        if isinstance(found, OSError):
            raise found
        return found

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        """Return the contents of each file, in order, or the error in their place."""
        asked = list(paths)
        if not asked:
            return []
        answer = self._connection.ask("read_files", str(common.LARGEST), *asked)
        return [contents for _, contents in _contents_of(check(answer, asked[0]).output, "", asked)]


def _contents_of(
    told: bytes, directory: str, paths: Sequence[str] = ()
) -> list[tuple[str, bytes | OSError | None]]:
    """Return the names of files, in order, each with its contents, None or an error.

    Args:
        told: the output of `read_files`.
        directory: the directory that the files are in, if they are all in one.
        paths: the paths of the files, if they are in several directories.
    """
    rest_of_paths = list(paths)
    found: list[tuple[str, bytes | OSError | None]] = []
    for name, said, data in _from_the_end(memoryview(told)):
        path = rest_of_paths.pop() if paths else f"{directory.rstrip('/')}/{name}"
        found.append((name, _contents(path, said, data)))
    return found[::-1]


def _from_the_end(rest: memoryview) -> Iterator[tuple[str, bytes, memoryview]]:
    """Yield each file's name, its status with dd's words, and what was copied; last file first."""
    while rest:
        rest, size = rest[:-_WIDTH], int(bytes(rest[-_WIDTH:]))
        rest, told = rest[:-size], bytes(rest[-size:])
        if told.startswith(_BLOCK):
            head, *names = told.removeprefix(_BLOCK).split(b"/")
            total, *sizes = map(int, head.split())
            rest, block = rest[: len(rest) - total], rest[len(rest) - total :]
            for name, length in zip(reversed(names), reversed(sizes), strict=True):
                start = len(block) - length
                block, data = block[:start], block[start:]
                yield os.fsdecode(name), b"0", data
        else:
            said, _, name = told.rpartition(b"/")
            copied = _COPIED.search(said)
            start = len(rest) - (int(copied[1]) if copied else 0)
            rest, data = rest[:start], rest[start:]
            yield os.fsdecode(name), said, data


def _contents(path: str, said: bytes, data: memoryview) -> bytes | OSError | None:
    """Return a file's contents, None if there is no file, or the error.

    Args:
        path: the file.
        said: its status, a space, and what dd printed.
        data: what dd has copied.
    """
    status, _, errors = said.partition(b" ")
    failed = int(status) or (Status.TOO_LARGE if len(data) > common.LARGEST else 0)
    if not failed:
        return bytes(data)
    error = os_error(Answer(failed, b"", errors.partition(b"\n")[0]), path)
    return None if isinstance(error, FileNotFoundError) else error
