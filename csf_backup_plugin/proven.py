"""What the receipt beside an image says of it: only an image with one counts as a backup."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin import __version__, moments, receipt
from csf_backup_plugin.agreement import raise_if_not_allowed
from csf_backup_plugin.errors import FaultFound, OtherVersion, reason
from csf_backup_plugin.identity import Identity
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.names import absolute, command, shown
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.unproven import without_receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Host


#: Bytes of a block of most file systems; a file takes up whole ones.
_BLOCK = 4096


def on_disk(size: int) -> int:
    """Return the bytes that a file of `size` bytes takes up if none of it is a hole."""
    return -(-size // _BLOCK) * _BLOCK


class Origin(NamedTuple):
    """Which backup of which repository an image is.

    Attributes:
        id: the repository's; None where it had none that could be kept.
        number: of the backup, within the repository; None where it is not known.
        machine_id: the machine-id(5) of the host; empty where it had none.
        machine: what the host called itself.
        settled: whether the repository was where its identity is at home; if not, it was moved or
            copied, and nobody had said which.
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
    """The bytes of a database: osbackup's instant lies between two looks.

    Attributes:
        before: when the backup began.
        after: when osbackup had ended.
    """

    before: int
    after: int

    @property
    def least(self) -> int:
        """What a restored one has at least: it may have grown, or have been compacted."""
        return min(self)


class Proven(NamedTuple):
    """An image as its receipt knows it.

    Attributes:
        master: the repository's master database.
        databases: the bytes of each database in the image when its backup began, by path; None
            where the image was proven afresh, when nobody could know them any more.
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was taken.
        import_file_sha256: the import file's.
        started: when the backup began by the host's clock, in ISO 8601: work since then is not in
            it.
        image: what the image was called when it was proven.
        origin: which backup of which repository it is.
        after: the bytes of each database when osbackup had ended, or None likewise.
        changed: the databases that were changed while osbackup ran; None where nobody knows.
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

    @property
    def names(self) -> tuple[str, ...]:
        """The databases as a manifest records them: those beside the master by name alone."""
        return tuple(map(Repository(self.master).recorded, self.databases))

    @property
    def sizes(self) -> dict[str, Size | None]:
        """The sizes of each database, by path; None where nobody knows them."""
        return {path: self._size(path) for path in self.databases}

    @property
    def room(self) -> int:
        """The bytes that all databases may take up when they are restored.

        Where nobody knows their sizes, the image's own are nearest to them.
        """
        known = [on_disk(max(size)) for size in self.sizes.values() if size]
        return sum(known) if len(known) == len(self.databases) else max(sum(known), self.size)

    def _size(self, path: str) -> Size | None:
        before, after = self.databases[path], self.after.get(path)
        return None if before is None or after is None else Size(before, after)


def read_receipt(image: ImagePath, host: Host) -> Proven:
    """Return what the receipt of an image says.

    Raises:
        FaultFound: there is none, or it cannot be read or used.
        PermissionError: this user may not read it.
    """
    try:
        data = host.read(image.receipt)
    except OSError as error:
        raise_if_not_allowed(error)
        raise FaultFound(
            f"The receipt {image.host}:{shown(image.receipt)} cannot be read: {reason(error)}.",
            "Look at its disk, and use another image.",
        ) from None
    if data is None:
        raise without_receipt(image, host)
    try:
        return decode(data)
    except receipt.UnusableReceipt as error:
        kind = FaultFound if isinstance(error, receipt.CorruptReceipt) else OtherVersion
        raise kind(
            f"The receipt {image.host}:{shown(image.receipt)} {problem(error)}.",
            _NEXT_STEP.get(type(error), "Use another image.")
            + " If this is all that is left of the databases, restore it by hand: "
            f"{command('osrestore', '-t', '-f', image.path)} shows what is in it.",
        ) from None


_LONGEST = 4096  # bytes of a path, by Linux; nothing else is longer
_LARGEST = 1 << 63  # bytes of a file, by Linux; nothing else is larger
_NEXT_STEP = {
    receipt.NewerReceipt: "Use this plugin in the version that made it, or a newer one.",
    receipt.UnreleasedReceipt: "Make a new backup.",
}


def problem(error: receipt.UnusableReceipt) -> str:
    """Return why a receipt cannot be used, to follow its name."""
    if isinstance(error, receipt.CorruptReceipt):
        return f"is damaged: {error}"
    return f"cannot be used: {error}"


def encode(
    proven: Proven, *, finished: str, osbackup: str | None, shared_disk: str, proven_by: str
) -> bytes:
    """Return a receipt.

    Args:
        proven: what it is to say.
        finished: when the proof was complete by the host's clock, in ISO 8601.
        osbackup: the program that made the image, if known.
        shared_disk: whether image and databases lay on one physical disk.
        proven_by: the command that proved it.
    """
    origin = proven.origin
    return receipt.encode(
        {
            "producer": f"csf-backup-plugin {__version__}",
            "host": proven.image.host,
            "machine_id": origin.machine_id,
            "machine": origin.machine,
            "image": proven.image.path,
            "image_bytes": proven.size,
            "image_sha256": proven.sha256,
            "import_file_sha256": proven.import_file_sha256,
            "repository_id": origin.id,
            "number": origin.number,
            "settled": origin.settled,
            "master": proven.master,
            "databases": dict(proven.databases),
            "databases_after": {path: proven.after.get(path) for path in proven.databases},
            "changed": None if proven.changed is None else list(proven.changed),
            "mounts": dict(origin.mounts),
            "osbackup": osbackup,
            "shared_disk": shared_disk,
            "proven_by": proven_by,
            "started": proven.started,
            "finished": finished,
        }
    )


def decode(data: bytes) -> Proven:
    """Return what a receipt says.

    Raises:
        UnusableReceipt: it is not as it was written, or of another version.
    """
    facts = receipt.decode(data)
    try:
        _check_kinds(facts)
        return Proven(
            facts["master"],
            facts["databases"],
            facts["image_bytes"],
            facts["image_sha256"],
            facts["import_file_sha256"],
            facts["started"],
            ImagePath(facts["host"], facts["image"]),
            Origin(
                facts["repository_id"],
                facts["number"],
                facts["machine_id"],
                facts["machine"],
                facts["settled"],
                facts["mounts"],
            ),
            facts["databases_after"],
            None if facts["changed"] is None else tuple(facts["changed"]),
        )
    except KeyError as error:
        raise receipt.CorruptReceipt(f"it does not tell {error}") from None


def _check_kinds(facts: dict[str, Any]) -> None:
    """Refuse what no backup writes, though it is sealed; who reads it may rely on its kinds."""
    databases, mounts, number = facts["databases"], facts["mounts"], facts["number"]
    texts = ("master", "host", "image", "import_file_sha256", "machine_id", "machine", "started")
    sound = (
        all(_is_text(facts[text]) for text in texts)
        and isinstance(databases, dict)
        and _are_sizes(databases, facts["databases_after"])
        and _are_some(facts["changed"], databases)
        and (not databases or facts["master"] in databases)
        and _is_count(facts["image_bytes"])
        and all(map(_is_path, (facts["master"], facts["image"], *databases)))
        and (facts["image_sha256"] is None or _is_text(facts["image_sha256"]))
        and moments.read(facts["started"]) == facts["started"]
        and (facts["repository_id"] is None or _is_text(facts["repository_id"]))
        and (number is None or (_is_count(number) and facts["repository_id"] is not None))
        and isinstance(facts["settled"], bool)
        and isinstance(mounts, dict)
        and all(map(_is_text, (*mounts, *mounts.values())))
    )
    if not sound:
        raise receipt.CorruptReceipt("it says what no backup writes")


def _are_sizes(before: dict[str, Any], after: object) -> bool:
    """Tell whether the sizes of the same databases are told, or null, at both looks."""
    if not (isinstance(after, dict) and after.keys() == before.keys()):
        return False
    return all(size is None or _is_count(size) for size in (*before.values(), *after.values()))


def _are_some(changed: object, databases: dict[str, Any]) -> bool:
    """Tell whether what was changed are some of the databases, or null."""
    if not isinstance(changed, list):
        return changed is None
    return all(isinstance(path, str) and path in databases for path in changed)


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _is_path(value: str) -> bool:
    try:
        return len(os.fsencode(absolute(value))) <= _LONGEST
    except ValueError:
        return False
