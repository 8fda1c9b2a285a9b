"""Verify every image of a directory in turn; the next run goes on where this one stops.

Old images are otherwise not read until they are needed. Verification finds their damage while newer
images are still good.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    HostUnreachable,
    Interrupted,
    LockBusy,
    NoReceipt,
    Unexpected,
    UtilityMissing,
)
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.names import listed
from csf_backup_plugin.operations.aftermath import on_failure, preceded
from csf_backup_plugin.operations.verify import verify
from csf_backup_plugin.operations.verify.directory import look_at_directory
from csf_backup_plugin.operations.verify.summary import Result, VerifiedAll
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.verify import Verified
    from csf_backup_plugin.operations.verify.request import VerifyAllRequest
    from csf_backup_plugin.progress_listener import Listener

#: Errors that would occur with every other image, too.
_OF_ALL = (HostUnreachable, Interrupted, UtilityMissing, Unexpected)


def verify_all(
    request: VerifyAllRequest,
    host: Host,
    listener: Listener,
    clock: Callable[[], float] = time.monotonic,
) -> VerifiedAll:
    """Verify the images of a directory; those verified longest ago, or never, come first.

    Args:
        request: which images to verify, and for how long.
        host: the host to work on.
        listener: gets a note at once for each faulty image.
        clock: returns seconds from a fixed, arbitrary start.

    Raises:
        FaultFound: there is no image.
        BackupError: no image can be verified, or an error concerns all images that are left.
    """
    began = clock()
    with translated(host.name):
        found = look_at_directory(request, host, listener.note)
    results: list[Result] = []
    recent, due = found.divided(request.older_than)
    count = len(found.unusable) + len(due)
    with (
        on_failure(lambda so_far: preceded(_so_far(results, count), so_far)),
        translated(host.name),
    ):
        for image in found.unusable:
            results += _unusable(image, host, listener)
        before = len(results)
        for candidate in due:
            is_late = request.budget is not None and clock() - began >= request.budget
            if is_late and len(results) > before:  # each run verifies one image at least
                break
            host.cancellation.check()
            results.append(_verified(candidate.image, host, listener))
    left = due[len(results) - before :]
    return VerifiedAll(found.top, results, recent, left, found.warnings, clock() - began)


def _verified(image: ImagePath, host: Host, listener: Listener) -> Result:
    return _tried(image, lambda: verify(image, None, host, listener), listener)


def _unusable(image: ImagePath, host: Host, listener: Listener) -> list[Result]:
    """Return the fault of an image whose receipt was unusable; empty if it is usable now.

    The image is not read, since it is not known what should be in it.
    """

    def read() -> None:
        with translated(host.name):
            read_receipt(read_contents(image, host), host)

    result = _tried(image, read, listener)
    return [result] if result.problem else []


def _tried(image: ImagePath, work: Callable[[], Verified | None], listener: Listener) -> Result:
    """Return the result of `work` for an image.

    Raises:
        BackupError: the other images would fail in the same way.
    """
    try:
        return Result(image, verified=work())
    except _OF_ALL:
        raise
    except (NoReceipt, LockBusy) as error:
        return Result(image, problem=error, is_gone=True)
    except FaultFound as error:
        listener.note(f"at fault {image}: {'; '.join(error.findings)}")
        return Result(image, problem=error)
    except BackupError as error:
        return Result(image, problem=error)


def _so_far(results: Sequence[Result], count: int) -> str:
    """Return how far a failed run got."""
    verified = sum(one.is_sound or one.is_at_fault for one in results)
    faults = [one.image.path for one in results if one.is_at_fault]
    counts = (
        f"{verified:,} of {count:,} images had been verified, and {len(faults):,} were at fault"
    )
    return f"{counts}: {listed(faults)}" if faults else counts
