"""Names in memory: files, directories, symbolic links, and where they lead."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol.values import Kind

_MOST_LINKS = 40  # the most links that are followed, as on Linux


class MemoryTree:
    """The files of a host in memory; tests may change them.

    Attributes:
        files: contents, by path.
        directories: paths of directories.
        links: what symbolic links lead to, by their paths.
        pipes: paths of what is neither file nor directory.
    """

    def __init__(self, files: dict[str, bytes], directories: Iterable[str] = ()) -> None:
        self.files = dict(files)
        self.directories = {*directories, *map(posixpath.dirname, files)}
        self.links: dict[str, str] = {}
        self.pipes: set[str] = set()

    def _names(self) -> list[str]:
        """Return the paths of all files, directories, links and pipes."""
        return [*self.files, *self.links, *self.pipes, *self.directories]

    def _forget(self, name: str) -> None:
        self.files.pop(name, None)
        self.links.pop(name, None)
        self.pipes.discard(name)
        self.directories.discard(name)

    def _led(self, path: str, named: str = "") -> str:
        """Return the path that a path leads to; nothing need be there.

        Args:
            path: any path.
            named: the path that an error names, if another.
        """
        at, rest, followed = "/", [*reversed(path.split("/"))], 0
        while rest:
            at = posixpath.normpath(posixpath.join(at, rest.pop()))
            if at in self.links:
                if (followed := followed + 1) > _MOST_LINKS:
                    raise system_error(errno.ELOOP, named or path)
                target = self.links[at]
                at = "/" if target.startswith("/") else posixpath.dirname(at)
                rest += reversed(target.split("/"))
        return at

    def _name(self, path: str) -> str:
        """Return a path with the links in its directory followed, but not the last one."""
        directory, name = posixpath.split(path)
        return posixpath.join(self._led(directory, path), name) if name else self._led(path)

    def _is_link(self, path: str) -> bool:
        with contextlib.suppress(OSError):
            return not path.endswith("/") and self._name(path) in self.links
        return False

    def _is_there(self, path: str) -> bool:
        """Tell whether a path leads to an existing file."""
        with contextlib.suppress(OSError):
            return self._led(path) in {*self.files, *self.directories, *self.pipes}
        return False

    def _kind(self, path: str) -> Kind:
        try:
            led = self._led(path)
        except OSError:
            return "other"
        if led in self.files:
            return "file"
        if led in self.directories:
            return "directory"
        return "other" if led in self.pipes or self._is_link(path) else "missing"

    def _place(self, path: str) -> str:
        """Return the path of a new name, if its directory exists."""
        name = self._name(path)
        if posixpath.dirname(name) not in self.directories:
            raise system_error(errno.ENOENT, path)
        return name

    def _unused(self, path: str) -> str:
        """Return the path of a name that is not used yet."""
        name = self._place(path)
        if name in self._names():
            raise system_error(errno.EEXIST, path)
        return name

    def _file(self, path: str, number: int, words: str) -> str:
        """Return the path of a file that is not a link; for a directory, raise its own error."""
        name = self._name(path)
        if name in self.links:
            raise OSError(errno.ELOOP, "Is a symbolic link", path)
        if name in self.directories:
            raise OSError(number, words, path)
        if name in self.pipes:
            raise OSError(errno.EINVAL, "Not a file", path)
        if posixpath.dirname(name) in self.files:
            raise system_error(errno.ENOTDIR, path)
        if name not in self.files:
            raise system_error(errno.ENOENT, path)
        return name


def system_error(number: int, path: str) -> OSError:
    """Return an error with the system's text."""
    return OSError(number, os.strerror(number), path)
