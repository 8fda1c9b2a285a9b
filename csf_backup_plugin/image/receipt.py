"""A receipt: which image of which backup was proven, and what was in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.objectstore.room_and_time import allocated
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping


class Origin(NamedTuple):
    """Which backup of which repository an image is.

    Attributes:
        id: the repository's; None if it had none that could be kept.
        number: the backup's number in the repository; None if it is not known.
        machine_id: the machine-id(5) of the host; empty if it had none.
        machine: what the host called itself.
        settled: whether the repository was at its identity's home; if not, it was moved or copied,
            and the user had not said which.
        mounts: the mount point of each directory that held a database, and of the image's.
    """

    id: str | None = None
    number: int | None = None
    machine_id: str = ""
    machine: str = ""
    settled: bool = True
    mounts: Mapping[str, str] = {}

    def identity(self, master: str) -> Identity | None:
        """Return the repository's identity, at home where the backup was made."""
        return Identity(self.id, self.machine_id, self.machine, master) if self.id else None


class Size(NamedTuple):
    """A database's size in bytes, before and after the instant whose state osbackup saves.

    Attributes:
        before: when the backup began.
        after: when osbackup had ended.
    """

    before: int
    after: int

    @property
    def least(self) -> int:
        """The least size of the restored database: it may have grown, or have been compacted."""
        return min(self)


class Placement(NamedTuple):
    """Where a rotation has put an image, and in which run.

    Attributes:
        place: a weekday's name, or ``dated``.
        slot: the date the run was due.
        run_id: which run.
    """

    place: str
    slot: datetime.date
    run_id: str


class Copied(NamedTuple):
    """Where a copy was made from.

    Attributes:
        image: HOST:PATH of the image that was read.
        at: when the copy was complete, by the clock of its own host, in ISO 8601.
        run_id: the run whose rotation has made the original; None if none has.
    """

    image: ImagePath
    at: str
    run_id: str | None = None


class Receipt(NamedTuple):
    """What an image's receipt says.

    Attributes:
        master: the repository's master database.
        databases: the size of each database in the image when its backup began, in bytes, by path;
            None if the image was proven later, when the sizes were no longer known.
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was taken.
        import_file_sha256: the import file's.
        started: when the backup began by the host's clock, in ISO 8601: work since then is not in
            it.
        image: HOST:PATH of the image when it was proven.
        origin: which backup of which repository it is.
        after: the size of each database when osbackup had ended, in bytes; None as in `databases`.
        changed: the databases that were changed while osbackup ran; None if that is not known.
        placement: where a rotation has put it; None for an image that no rotation made.
        suspicions: why the databases may be corrupt or incomplete, compared with an earlier image.
        accepted: whether the user has accepted such suspicions.
        copied: where it was copied from; None for an original.
    """

    master: str
    databases: Mapping[str, int | None]
    size: int
    sha256: str | None
    import_file_sha256: str
    started: str
    image: ImagePath
    origin: Origin = Origin()
    after: Mapping[str, int | None] = {}
    changed: tuple[str, ...] | None = None
    placement: Placement | None = None
    suspicions: tuple[str, ...] = ()
    accepted: bool = False
    copied: Copied | None = None

    @property
    def run_id(self) -> str | None:
        """The id of the rotation that has made the image, or its original; None if none has."""
        made = self.placement or self.copied
        return made.run_id if made else None

    def is_of_backup(self, other: Receipt) -> bool:
        """Tell whether both are receipts of one backup: of the same image, or of a copy of it."""
        if self.copied is None and other.copied is None:
            return self == other
        if None not in (self.sha256, other.sha256) and self.sha256 != other.sha256:
            return False
        return self._original() == other._original()

    def _original(self) -> Receipt:
        """Return the receipt without the values in which a copy differs from its original."""
        nowhere = ImagePath("", "")
        return self._replace(image=nowhere, placement=None, copied=None, sha256=None)

    @property
    def names(self) -> tuple[str, ...]:
        """The databases as a manifest records them: by name alone in the master's directory."""
        return tuple(map(Repository(self.master).recorded, self.databases))

    @property
    def sizes(self) -> dict[str, Size | None]:
        """The sizes of each database, by path; None if they are not known."""
        return {path: self._size(path) for path in self.databases}

    @property
    def room(self) -> int:
        """The bytes that all databases may take up when they are restored.

        If their sizes are not known, the image's size is used instead.
        """
        known = [allocated(max(size)) for size in self.sizes.values() if size]
        return sum(known) if len(known) == len(self.databases) else max(sum(known), self.size)

    def _size(self, path: str) -> Size | None:
        before, after = self.databases[path], self.after.get(path)
        return None if before is None or after is None else Size(before, after)
