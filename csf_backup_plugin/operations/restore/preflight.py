"""What keeps a restore from beginning: what stands in its place, and the room there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.advice import add_command, drop_command
from csf_backup_plugin.errors import (
    NoSpace,
    NotWritable,
    RepositoryIncomplete,
    UnsafeImagePath,
    WrongRepository,
)
from csf_backup_plugin.names import IN_JSON, listed, shown
from csf_backup_plugin.objectstore.limits import allocated, space_needed
from csf_backup_plugin.operations.storage import is_same
from csf_backup_plugin.repository.completeness import check_apart
from csf_backup_plugin.repository.located import no_directory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol import Facts, Host
    from csf_backup_plugin.image.receipt import Size
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.model import Repository
    from csf_backup_plugin.repository.neighbours import Other


def check_not_anothers(
    targets: Collection[str], facts: Mapping[str, Facts], found: Inventory
) -> None:
    """Refuse to write databases that are another repository's, or not this one's any more.

    Args:
        targets: where databases are to be restored to, and what they lead to if they are links.
        facts: on each of those places.
        found: what there is of the repository, and of others.

    Raises:
        WrongRepository: it names them.
    """
    for other in found.others.known:
        if theirs := [path for path in targets if path in other.listed]:
            raise WrongRepository(
                f"The manifest of another repository, {shown(other.repository.master)} on "
                f"{found.host}, lists {len(theirs):,} of the databases in the image: "
                f"{listed(theirs, IN_JSON)}. The restore would overwrite its later work.",
                _way_round(other, theirs, found.host),
                {"databases": theirs},
            )
    check_apart(found)
    names = found.recorded.dropped if found.recorded else ()
    given_up = {*map(found.repository.path_of, names)}
    if dropped := [path for path in targets if path in given_up and _is_file(path, facts)]:
        raise WrongRepository(
            f"{len(dropped):,} of the databases in the image were dropped from the manifest of "
            f"{shown(found.repository.master)} on {found.host}, and are on disk: "
            f"{listed(dropped, IN_JSON)}.",
            "Restore into another directory with -into. If they are to be overwritten, add them "
            f"first: {add_command(found.repository.master, found.host, dropped)}",
            {"databases": dropped},
        )


def _is_file(path: str, facts: Mapping[str, Facts]) -> bool:
    return path in facts and facts[path].kind == "file"


def _way_round(other: Other, theirs: Sequence[str], host: str) -> str:
    """Return what to do instead of overwriting another repository's databases."""
    drops = [path for path in theirs if path != other.repository.master]
    text = "Restore into another directory with -into."
    if drops:
        typed = drop_command(other.repository.master, host, drops)
        text += f" If they are not that repository's, drop them there first: {typed}"
    if len(drops) < len(theirs):
        text += (
            f"\nIf {shown(other.repository.master)} is no master database, remove "
            f"{shown(other.repository.manifest)}."
        )
    return text


def check_replaceable(request: RestoreRequest, facts: Mapping[str, Facts], host: Host) -> None:
    """Refuse if a database cannot be put where it belongs: osrestore might notice half way.

    With -into, links are no such places: nobody said what they lead to is to be overwritten.

    Args:
        request: what was asked for.
        facts: on each place that a database is to be restored to.
        host: where they are.

    Raises:
        RepositoryIncomplete: it names what stands there.
    """
    blocked = [path for path, fact in facts.items() if fact.kind not in ("file", "missing")]
    if request.into:
        (at,) = host.look([request.into])
        blocked += [
            path
            for path, fact in facts.items()
            if posixpath.dirname(fact.resolved) not in (request.into, at.resolved)
        ]
    if blocked:
        raise RepositoryIncomplete(
            f"On {host.name}, something that is no file stands where a database is to be restored "
            f"(a directory, or a link): {listed(blocked, IN_JSON)}.",
            "Move it away, or mount the disk the link leads to.",
            {"databases": blocked},
        )


def check_image_apart(request: RestoreRequest, targets: Mapping[str, Facts], host: Host) -> None:
    """Refuse an image in the directory that is restored to: it would be overwritten, or moved.

    Args:
        request: what was asked for.
        targets: the facts on each place that a database is to be restored to.
        host: where all of them are.

    Raises:
        UnsafeImagePath: it is.
    """
    image, repository = request.image, request.repository
    at, at_image, at_directory = host.look([image.path, image.directory, repository.directory])
    if is_same(at_image, at_directory) or any(is_same(at, one) for one in targets.values()):
        raise UnsafeImagePath(
            f"{request.image} lies in the directory that is to be restored to: a database might "
            "overwrite it.",
            "Move the image with all that stands beside it, or restore into another directory.",
        )


def check_repository_writable(repository: Repository, host: Host) -> None:
    """Refuse a repository's directory that cannot be written to.

    Args:
        repository: the one that is to be restored.
        host: where it is.

    Raises:
        NotWritable: it cannot be written to.
    """
    directory = repository.directory
    _check_writable(dict(zip([directory], host.look([directory]), strict=True)), host)


def _check_writable(looked: Mapping[str, Facts], host: Host) -> None:
    for directory, at in looked.items():
        if at.kind == "directory" and not at.writable:
            raise NotWritable(
                f"{shown(directory)} on {host.name} is not writable for this user.",
                "Run the command as the user whose databases they are. If its file system is "
                "mounted read-only, mount it so that it can be written to.",
            )


def check_room(
    sizes: Mapping[str, Size | None], image: int, facts: Mapping[str, Facts], host: Host
) -> None:
    """Refuse if a directory cannot be written to, or has no room for what its databases grow by.

    A database that has holes, or is compressed, may have neither once it is restored.

    Args:
        sizes: of each database, None where unknown, by where it is restored to.
        image: the image's bytes.
        facts: on each of those places.
        host: where they are.

    Raises:
        NotWritable: it names the directory.
        NoSpace: likewise.
        RepositoryNotFound: likewise.
    """
    directories = list(dict.fromkeys(map(posixpath.dirname, sizes)))
    looked = dict(zip(directories, host.look(directories), strict=True))
    _check_writable(looked, host)
    for directory, at in looked.items():
        if at.kind != "directory":
            raise no_directory(directory, host)
    devices = {path: looked[posixpath.dirname(path)].device for path in sizes}
    growth = _growth(sizes, image, facts, devices)
    for directory, at in looked.items():
        if (more := growth[at.device]) and at.free < (needed := space_needed(more)):
            raise NoSpace(
                f"{host.name}:{shown(directory)} has {at.free:,} bytes free; what is restored may "
                f"need {needed:,} ({more:,} more than the databases take up on the disk now, if "
                "they are restored without holes, and a reserve).",
                "Make room there and run the same command again.",
            )


def _growth(
    sizes: Mapping[str, Size | None],
    image: int,
    facts: Mapping[str, Facts],
    devices: Mapping[str, int],
) -> dict[int, int]:
    """Return by how many bytes databases may grow on each device.

    Where nobody knows sizes, the image's own are nearest to them all; where they are to go nobody
    knows either, but that most databases lie beside the master database, which is the first.
    """
    growth = dict.fromkeys(devices.values(), 0)
    for path, size in sizes.items():
        if size:
            growth[devices[path]] += max(0, allocated(max(size)) - facts[path].allocated)
    if unknown := [path for path, size in sizes.items() if size is None]:
        there = sum(facts[path].allocated for path in unknown)
        growth[devices[unknown[0]]] += max(0, image - there)
    return growth
