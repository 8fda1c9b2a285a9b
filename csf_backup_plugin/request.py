"""What a backup is asked to do, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UnsafeImagePath, UsageError
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.names import absolute, shown
from csf_backup_plugin.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds to wait for the repository's lock, where neither option nor environment says.
LOCK_WAIT = 30.0
LOCK_WAIT_VARIABLE = "CSF_BACKUP_LOCK_WAIT"


@dataclass(frozen=True)
class BackupRequest:
    """One backup of one repository to one image.

    Attributes:
        repository: what to back up.
        image: where to.
        dry_run: check everything, and create nothing.
        wait: how long to wait for the repository's lock, in seconds.
        timeout: how long osbackup may take, in seconds; None: as `default_timeout` says.
        checksum: whether to take the image's SHA-256.
    """

    repository: Repository
    image: ImagePath
    dry_run: bool = False
    wait: float = LOCK_WAIT
    timeout: float | None = None
    checksum: bool = True

    @classmethod
    def parse(
        cls,
        master: str,
        image: str,
        *,
        dry_run: bool = False,
        wait: float = LOCK_WAIT,
        timeout: float | None = None,
        checksum: bool = True,
    ) -> BackupRequest:
        """Make a request of what the user wrote.

        Raises:
            UsageError: `master` is no absolute path, or `image` not HOST:PATH.
            UnsafeImagePath: the image's name stands for another one.
        """
        repository, made = parse_repository(master), ImagePath.parse(image)
        if made.is_latest:
            raise UnsafeImagePath(
                f"{made} stands for the newest verified image of {shown(made.directory)}.",
                "Name the new image otherwise.",
            )
        return cls(repository, made, dry_run, wait, timeout, checksum)


@dataclass(frozen=True)
class DrillRequest:
    """One drill: an image restored for trial.

    Attributes:
        image: which.
        directory: where a scratch directory of the drill's own is made, on the image's host.
    """

    image: ImagePath
    directory: str

    @classmethod
    def parse(cls, image: str, directory: str) -> DrillRequest:
        """Make a request of what the user wrote.

        Raises:
            UsageError: `image` is not HOST:PATH, or `directory` no absolute path.
        """
        try:
            return cls(ImagePath.parse(image), absolute(directory.rstrip("/") or directory))
        except ValueError as error:
            raise UsageError(
                f"-scratch-dir {shown(directory)!r} {error}.",
                "Give -scratch-dir as an absolute path other than /, such as /var/tmp.",
            ) from None


def parse_repository(master: str) -> Repository:
    """Return the repository of the master database the user named.

    Raises:
        UsageError: `master` is no absolute path to a file.
    """
    try:
        return Repository(absolute(master, longest_suffix=".manifest"))
    except ValueError as error:
        raise UsageError(
            f"-database {shown(master)!r} {error}.",
            "Give -database as an absolute path, such as /databases/master.db.",
        ) from None


def lock_wait(environ: Mapping[str, str]) -> float:
    """Return how long the environment says to wait for the lock, in seconds.

    Raises:
        UsageError: the variable is not a number of seconds.
    """
    text = environ.get(LOCK_WAIT_VARIABLE, "")
    try:
        seconds = float(text) if text else LOCK_WAIT
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"{LOCK_WAIT_VARIABLE}={shown(text)} is not a number of seconds.",
            f"Set it to a number such as {LOCK_WAIT:g}, or unset it.",
        )
    return seconds


def default_timeout(size: int) -> float:
    """Return how long osbackup may take over databases of `size` bytes, in seconds.

    Four times what ObjectStore's 4 GB an hour would need, and ten minutes at least.
    """
    return max(600.0, 4 * size / (4e9 / 3600))
