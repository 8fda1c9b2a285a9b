"""The options of a restore, checked before anything is touched."""

from __future__ import annotations

import dataclasses
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import restore_by_hand, restore_command
from csf_backup_plugin.errors import UsageError, WrongRepository
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.wanted_repository import check_image_of
from csf_backup_plugin.names import IN_JSON, absolute, listed, shown
from csf_backup_plugin.operations.lock_wait import LOCK_WAIT
from csf_backup_plugin.operations.quiet.request import AS_THERE, Quiescing
from csf_backup_plugin.operations.request import parse_repository

if TYPE_CHECKING:
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.image.wanted_repository import Wanted
    from csf_backup_plugin.repository.model import Repository


@dataclass(frozen=True)
class RestoreRequest:
    """One restore of one repository from one image.

    Attributes:
        repository: the repository to restore.
        image: the image to restore from.
        into: the directory given with -into, which is the repository's; None without -into.
        quarantine: whether to move extra databases out of the way.
        dry_run: check everything, and create nothing.
        wait: how long to wait for the repository's lock, in seconds.
        timeout: how long osrestore may take, in seconds; None for `default_timeout`.
        unattended: whether to go on without asking the user.
        require_mount: refuse a repository's directory on the file system of ``/``.
        accept_unmounted: restore even to a directory whose file system was mounted at the backup
            and is not mounted now.
        quiescing: how to make the repository quiet for osrestore.
    """

    repository: Repository
    image: ImagePath
    into: str | None = None
    quarantine: bool = False
    dry_run: bool = False
    wait: float = LOCK_WAIT
    timeout: float | None = None
    unattended: bool = False
    require_mount: bool = False
    accept_unmounted: bool = False
    quiescing: Quiescing = AS_THERE

    @classmethod
    def parse(
        cls,
        master: str,
        image: str,
        *,
        into: str | None = None,
        quarantine: bool = False,
        dry_run: bool = False,
        wait: float = LOCK_WAIT,
        timeout: float | None = None,
        unattended: bool = False,
        require_mount: bool = False,
        accept_unmounted: bool = False,
        quiescing: Quiescing = AS_THERE,
    ) -> RestoreRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: `master` is not an absolute path, `image` is not HOST:PATH, or `into` is not
                the directory of `master`.
        """
        repository = parse_repository(master)
        directory = None if into is None else _directory(into, repository)
        place = ImagePath.parse(image)
        if directory and place.is_latest:
            raise UsageError(
                f"{place} may mean an image of any repository, so -into needs an image by its "
                "name.",
                "Name the image.",
            )
        return cls(
            repository,
            place,
            directory,
            quarantine,
            dry_run,
            wait,
            timeout,
            unattended,
            require_mount,
            accept_unmounted,
            quiescing,
        )

    def at(self, repository: Repository, image: ImagePath) -> RestoreRequest:
        """Return the request with resolved paths."""
        into = self.into and repository.directory
        return dataclasses.replace(self, repository=repository, image=image, into=into)

    def check_image_of(self, receipt: Receipt, wanted: Wanted | None) -> None:
        """Refuse an image that was not made of this repository.

        Args:
            receipt: the image's receipt.
            wanted: the repository, as its manifest identifies it; None without a manifest.

        Raises:
            WrongRepository: the message names both repositories.
            UsageError: with -into, the name of the master database differs, or databases were
                elsewhere.
        """
        master, other = shown(self.repository.master), shown(receipt.master)
        if self.into is None:
            if receipt.master != self.repository.master:
                raise WrongRepository(
                    f"{self.image} is an image of {other}, not of {master}.",
                    "Name an image of this repository. To restore that one into another directory "
                    f"DIR, give -into DIR and -database DIR/{posixpath.basename(other)}.",
                )
            try:
                check_image_of(wanted, self.image, receipt)
            except WrongRepository as error:
                error.next_step = (
                    "Name an image of this repository. To put that other one in its place "
                    f"anyway: {self.command('-into', self.repository.directory)}"
                )
                raise
            return
        if posixpath.basename(receipt.master) != self.repository.name:
            name = posixpath.basename(receipt.master)
            raise UsageError(
                f"{self.image} is an image of {other}, whose name is not that of {master}.",
                f"Give -database as {shown(self.into)}/{shown(name)}.",
            )
        home = posixpath.dirname(receipt.master)
        if strangers := [p for p in sorted(receipt.databases) if posixpath.dirname(p) != home]:
            raise UsageError(
                f"{self.image} holds databases that were not in {shown(home)}, so -into does not "
                f"say where they are to go: {listed(strangers, IN_JSON)}.",
                "Restore it by hand, with a source and a target for each: "
                + restore_by_hand(self.image.path),
                {"databases": strangers},
            )

    def target_of(self, path: str) -> str:
        """Return the path that a database of the image is restored to."""
        if self.into is None:
            return path
        return posixpath.join(self.into, posixpath.basename(path))

    def command(self, *options: str) -> str:
        """Return this command line with more options, but without those for waiting times."""
        words = [] if self.into is None else ["-into", self.into]
        if self.quiescing.program:
            words += ["-quiesce", self.quiescing.program]
        given = {
            "-quarantine": self.quarantine,
            "-require-mount": self.require_mount,
            "-accept-unmounted": self.accept_unmounted,
            "-require-quiet": self.quiescing.is_required,
        }
        words += [option for option, is_given in given.items() if is_given]
        words += [option for option in options if option not in words]
        return restore_command(self.repository.master, self.image.name, *words)


def _directory(into: str, repository: Repository) -> str:
    try:
        directory = absolute(into.rstrip("/"))
    except ValueError as error:
        raise UsageError(
            f"-into {shown(into)!r} {error}.",
            "Give -into as an absolute path to a directory, such as /databases/second.",
        ) from None
    if directory != repository.directory:
        raise UsageError(
            f"-into {shown(into)!r} is not the directory of -database "
            f"{shown(repository.master)!r}.",
            f"Give -database as the path the master database is to have: "
            f"{shown(directory)}/{shown(repository.name)}.",
        )
    return directory
