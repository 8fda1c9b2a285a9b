"""A directory of a run's own, which goes with all that is in it when the run ends, however."""

from __future__ import annotations

import contextlib
import datetime
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, HostUnreachable, reason, translated
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath

PREFIX = "csf-drill-"
_ROOM = "Make room there, or name another directory with -scratch-dir."
_NAME_KEPT = 50  # characters of the image's name; 255 bytes are all that a name may have


class Scratch:
    """A directory that did not exist before.

    Args:
        path: where.
        host: on which host.
    """

    def __init__(self, path: str, host: Host) -> None:
        self.path = path
        self.left = ""  # what could not be removed, and why
        self._host = host
        self._known: list[str] = []

    @property
    def record(self) -> str:
        """Where the host may keep a record of the utility it runs."""
        return f"{self.path}/run"

    def place(self, path: str) -> str:
        """Return where in it another path of the host is to be copied."""
        return f"{self.path}/restored{path}"

    @property
    def is_ours(self) -> bool:
        """Whether it was made here, or may have been."""
        return bool(self._known)

    def make(self) -> None:
        """Make it; where something stands already, that is not ours."""
        self._known.append(self.path)
        try:
            self._host.make_directory(self.path)
        except FileExistsError:
            self._known.clear()
            raise

    def make_directory(self, path: str) -> None:
        """Make a directory, those above it first, as far as they are not there."""
        if path not in self._known:
            self.make_directory(posixpath.dirname(path))
            self._known.append(path)
            self._host.make_directory(path)

    def remove(self) -> None:
        """Remove it with every file in it; `left` tells what cannot be removed.

        Only the directories made here are looked into: a link to another one is no more than a
        file, also where it has taken the place of one made here.
        """
        self.left = ""
        for directory in (self.record, *reversed(self._known)) if self._known else ():
            try:
                self._remove(directory)
            except FileNotFoundError:
                pass
            except OSError as error:
                self.left = self.left or self._kept(reason(error))
            except HostUnreachable as error:
                self.left = self._kept(error.what)
                return

    def _kept(self, why: str) -> str:
        return f"{shown(self.path)} could not be removed: {why}"

    def _remove(self, directory: str) -> None:
        """Remove a directory with its files; if a link has taken its place, the link alone."""
        if self._host.look([directory])[0].link:
            self._host.remove([directory])
            return
        names = [entry.name for entry in self._host.list_directory(directory)]
        self._host.remove([*(posixpath.join(directory, name) for name in names), directory])


@contextlib.contextmanager
def scratch(directory: str, image: ImagePath, host: Host) -> Iterator[Scratch]:
    """Have a directory while the block runs.

    Args:
        directory: where it is made.
        image: whose name it gets, for those who find it after a crash.
        host: the host.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    name = f"{PREFIX}{posixpath.basename(image.path)[:_NAME_KEPT]}-{now:%Y%m%dT%H%M%S.%fZ}"
    made = Scratch(posixpath.join(directory, name), host)
    try:
        with translated(host.name, _ROOM):
            made.make()
            yield made
        made.remove()
    except BaseException as error:
        made.remove()  # a signal is answered once, so this is not cut short
        if isinstance(error, BackupError) and made.is_ours:
            error.left = (
                f"What this run had created could not all be removed: {made.left}."
                if made.left
                else "What this run had created was removed; nothing else was changed."
            )
        raise
