"""Fill tonight's place with a new proven set, under the repository's lock."""

from __future__ import annotations

import contextlib
import dataclasses
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import ROTATE
from csf_backup_plugin.errors import (
    NOTHING_LEFT,
    BackupError,
    ImageExists,
    ImageUnproven,
    NoSpace,
    NotMounted,
    OsbackupFailed,
    UnsafeImagePath,
)
from csf_backup_plugin.hosts.cleanup import clean_up
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.place import beside_places, in_place, set_name
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import osbackup
from csf_backup_plugin.operations.aftermath import on_failure, preceded
from csf_backup_plugin.operations.backup import back_up_locked
from csf_backup_plugin.operations.backup.locking import locked
from csf_backup_plugin.operations.backup.request import Turn
from csf_backup_plugin.operations.quiet.debt import finding_debt, settle_debt
from csf_backup_plugin.operations.rotate.directories import order
from csf_backup_plugin.operations.rotate.history import removable
from csf_backup_plugin.operations.rotate.leftovers import clean_up_records, find_leftovers, settle
from csf_backup_plugin.operations.rotate.tonight import look_at_tonight
from csf_backup_plugin.system_errors import NO_ROOM, HalfDone, from_os_error, reason, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.image.receipt import Placement
    from csf_backup_plugin.operations.backup import Backup
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.operations.rotate.tonight import Tonight
    from csf_backup_plugin.progress_listener import Listener

_NAMES = 9  # tried at most; another run may take one in the same second
#: Errors after which the next directory is tried, since it may be on another disk.
_OF_A_DIRECTORY = (UnsafeImagePath, NotMounted, NoSpace, OsbackupFailed, ImageUnproven)


class Filled(NamedTuple):
    """Tonight's set.

    Attributes:
        image: the set's image; in a dry run, the image that it would have.
        placement: the set's place, slot and run.
        backup: the backup that made it; None if an earlier run had made it.
        rule: the sentence that explains the order of the image directories.
        also_done: what was done with earlier runs' leftovers; each is a part of a sentence.
        warnings: what else the user should know.
        repository_id: the repository's id; None if it could not be recorded.
        tonight: what was found before the set was made.
        proven: the images of killed runs that this run has proven.
    """

    image: ImagePath
    placement: Placement
    backup: Backup | None
    rule: str
    also_done: tuple[str, ...]
    warnings: tuple[str, ...]
    repository_id: str | None
    tonight: Tonight
    proven: tuple[ImagePath, ...]


def fill(site: Site, host: Host, listener: Listener) -> Filled:
    """Make and prove tonight's set, unless an earlier run with the same id has made it.

    Args:
        site: the host, the repository and the image directories.
        host: the host to work on.
        listener: gets the progress.

    Raises:
        BackupError: no set was made; what this run created is removed, or the message names it.
    """
    request = site.request
    with contextlib.ExitStack() as stack:
        look = postponed(lambda: look_at_tonight(site, host))
        lock, (debt, tonight), unlocked = locked(
            *(request.repository, request.wait, stack, host, listener),
            lambda: host.together(finding_debt(request.repository, host), look),
            purpose=ROTATE,
            create=not request.dry_run,
        )
        settled = settle_debt(request.repository, lock, host, debt, dry_run=request.dry_run)
        if settled:  # the program that was called may have taken long
            tonight = look()
        filling = _Filling(tonight(), lock, host, listener)
        with (
            on_failure(lambda so_far: preceded("; ".join(filling.also_done), so_far)),
            translated(host.name),
        ):
            filled = filling.earlier_set() or filling.new_set()
    return filled._replace(warnings=(*unlocked, *settled, *filled.warnings))


class _Filling:
    """The steps of one filling.

    Attributes:
        also_done: what was done with earlier runs' leftovers so far; each is a part of a sentence.
    """

    def __init__(self, tonight: Tonight, lock: Lock | None, host: Host, listener: Listener) -> None:
        self._lock = lock
        self._host = host
        self._listener = listener
        self._tonight = tonight
        self._order = order(self._tonight)
        self._ours: set[ImagePath] = set()
        self._proven: dict[str, ImagePath] = {}
        self._warnings: list[str] = []
        self.also_done: list[str] = []

    def earlier_set(self) -> Filled | None:
        """Prove or remove leftovers; return the set of an earlier run with our id, or None."""
        tonight, host = self._tonight, self._host
        catalog, request = tonight.listed.catalog, tonight.site.request
        leftovers = find_leftovers(tonight.site, tonight.recorded, catalog, host)
        self._ours = {one.image for one in leftovers}
        if request.dry_run:
            would = "was left by a run that was killed; it would be proven or removed"
            self.also_done += [f"{one.image} {would}" for one in leftovers]
            return self._of_our_run()
        self.also_done += clean_up_records(catalog, tonight.own, tonight.site, host)
        self._proven = settle(
            *(leftovers, tonight.site, self._lock, tonight.judged, self.also_done),
            *(host, self._listener),
        )
        if made := self._of_our_run():
            return made
        image = self._proven.get(request.run_id)
        return self._filled(image, None) if image else None

    def new_set(self) -> Filled:
        """Make the set, in the first directory that can take it."""
        self._warnings += self._order.problems
        failures: list[BackupError] = []
        for top in self._order.tops:
            try:
                return self._made(top)
            except BackupError as error:
                if not self._may_go_on(error):
                    raise
                self._warnings.append(f"no backup to {shown(top.directory)}: {error.what}")
                failures.append(error)
        raise self._none_made(failures) if failures else self._nowhere()

    def _may_go_on(self, error: BackupError) -> bool:
        """Return whether to try another directory; never if osbackup could not be ended."""
        is_refused = type(error) is BackupError  # by the system
        is_left = self._lock is not None and self._lock.is_left
        return (is_refused or isinstance(error, _OF_A_DIRECTORY)) and not is_left

    def _of_our_run(self) -> Filled | None:
        tonight, request = self._tonight, self._tonight.site.request
        for one in tonight.placed:
            if removable(one, tonight.site.machine, request.repository):
                continue
            if (placement := one.receipt.placement) and placement.run_id == request.run_id:
                self.also_done.append(f"run {shown(request.run_id)} has made {one.image} already")
                return self._filled(one.image, None)._replace(placement=placement)
        return None

    def _made(self, top: ImagePath) -> Filled:
        """Make the set in a directory; if its name is taken, try other names."""
        tonight = self._tonight
        home = in_place(top, tonight.placement.place)
        with self._place(home.directory):
            attempt = 1
            while True:
                name = set_name(tonight.site.request.repository.master, tonight.now, attempt)
                image = ImagePath(home.host, posixpath.join(home.directory, name))
                try:
                    return self._filled(image, self._back_up(image))
                except ImageExists:
                    if attempt == _NAMES:
                        raise
                    attempt += 1

    @contextlib.contextmanager
    def _place(self, path: str) -> Iterator[None]:
        """Make sure that a place exists; remove it if it was created here and stayed empty."""
        is_made = False
        if not (self._has(path) or self._tonight.site.request.dry_run):
            with _refusing(path, self._host), contextlib.suppress(FileExistsError):
                self._host.make_directories([path])
                is_made = True
        try:
            yield
        except BackupError:
            if is_made:
                clean_up([path], self._host)
            raise

    def _has(self, path: str) -> bool:
        """Return whether a place exists."""
        return path in self._tonight.listed.catalog.entries

    def _back_up(self, image: ImagePath) -> Backup:
        tonight, request = self._tonight, self._tonight.site.request
        # A dry run does not create the place, so there may be none to check.
        is_there = self._has(image.directory) or not request.dry_run
        catalog = tonight.listed.catalog
        rest = [o for o in catalog.skipped if not (o.is_removed or o.image in self._ours)]
        turn = Turn(
            tonight.placement,
            catalog._replace(skipped=tuple(rest)),
            self._order.mounts,
            request.accepted,
            tonight.suspicions,
        )
        asked = request.backup(image if is_there else beside_places(image))
        backup = back_up_locked(asked, self._lock, turn, self._host, self._listener)
        return backup if is_there else _to(image, backup)

    def _filled(self, image: ImagePath, backup: Backup | None) -> Filled:
        warnings = (*self._warnings, *(backup.warnings if backup else ()))
        recorded = self._tonight.recorded
        identity = recorded.identity if recorded else None
        return Filled(
            image,
            self._tonight.placement,
            backup,
            self._order.rule,
            tuple(self.also_done),
            warnings,
            backup.origin.id if backup else identity.id if identity else None,
            self._tonight,
            tuple(self._proven.values()),
        )

    def _none_made(self, failures: Sequence[BackupError]) -> BackupError:
        """Return the first failure, with the messages of the others added."""
        first, *others = failures
        first.what = "\n".join([first.what, *(other.what for other in others)])
        lefts = dict.fromkeys(one.left for one in failures if one.left != NOTHING_LEFT)
        first.left = " ".join(lefts) or NOTHING_LEFT
        return first

    def _nowhere(self) -> BackupError:
        return UnsafeImagePath(
            f"No image directory on {self._host.name} can be used: "
            f"{'; '.join(self._order.problems)}.",
            "Mount or make one of them, and run the same command again.",
        )


@contextlib.contextmanager
def _refusing(path: str, host: Host) -> Iterator[None]:
    """Translate a failure to create a place into an error after which the next one is tried."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise from_os_error(error, host.name) from None
        raise UnsafeImagePath(
            f"The place {host.name}:{shown(path)} cannot be made: {reason(error)}.",
            "Give an -image-dir on a disk that works, and that this user may write to.",
            left=error.left if isinstance(error, HalfDone) else NOTHING_LEFT,
        ) from None


def _to(image: ImagePath, backup: Backup) -> Backup:
    """Return the backup of a dry run with another image."""
    request = dataclasses.replace(backup.request, image=image)
    argv = osbackup(backup.plan.argv[0], image.import_file, image.path)
    return backup._replace(request=request, plan=backup.plan._replace(argv=argv))
