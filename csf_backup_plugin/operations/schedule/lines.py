"""The commands of a schedule, as words: rotation, status and verification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.command_names import ROTATE, STATUS, VERIFY
from csf_backup_plugin.operations.quiet.request import AS_THERE
from csf_backup_plugin.operations.schedule.request import EVERY
from csf_backup_plugin.option_values import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.request import RotateRequest
    from csf_backup_plugin.operations.schedule.request import ScheduleRequest

#: With it, a command prints only problems, since cron mails whatever is printed.
QUIET = "-quiet"
#: The options of the daily verification, with which each image is read once a month.
PART = ("-older-than", "30d", "-budget", "2h")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def rotate_words(rotation: RotateRequest, *, strict: bool, require_mount: bool) -> list[str]:
    """Return the words of a rotation, after csf's name.

    Args:
        rotation: the options of the rotation.
        strict: whether a warning is a failure.
        require_mount: whether to refuse image directories on the file system of ``/``.
    """
    options = rotation.options
    words = [ROTATE, "-database", rotation.repository.master]
    for top in rotation.tops:
        words += _image_dir(top)
    words += _places(rotation)
    if rotation.drill_every is not None and rotation.scratch is not None:
        words += ["-drill-every", age(rotation.drill_every), "-scratch-dir", rotation.scratch]
    if rotation.every is not None:
        words += ["-every", "24h" if rotation.every == EVERY else age(rotation.every)]
    for name in ("wait", "timeout"):
        if (seconds := options.get(name)) is not None:
            words += [f"-{name}", repr(seconds).removesuffix(".0")]
    quiescing = options.get("quiescing", AS_THERE)
    if quiescing.program:
        words += ["-quiesce", quiescing.program]
    flags = {
        "-no-checksum": not options.get("checksum", True),
        "-require-mount": require_mount,
        "-accept-small": options.get("accept_small", False),
        "-require-quiet": quiescing.is_required,
        "-strict": strict,
    }
    return [*words, *(flag for flag, is_given in flags.items() if is_given)]


def status_words(request: ScheduleRequest) -> list[str]:
    """Return the words of the status; it checks drills if they are scheduled or asked for."""
    rotation = request.rotation
    words = [STATUS]
    for top in rotation.tops:
        words += _image_dir(top)
    words += ["-database", f"{rotation.host}:{rotation.repository.master}"]
    if request.max_age is not None:
        words += ["-max-age", age(request.max_age)]
    if request.max_drill_age:
        words += ["-max-drill-age", age(request.max_drill_age)]
    elif request.max_drill_age == 0 or rotation.drill_every is None:
        words += ["-max-drill-age", NONE]
    return [*words, QUIET]


def verify_words(request: ScheduleRequest) -> list[list[str]]:
    """Return the words of the daily verification, for each image directory."""
    return [[VERIFY, *_image_dir(top), *PART, QUIET] for top in request.rotation.tops]


def _image_dir(top: ImagePath) -> tuple[str, str]:
    return "-image-dir", f"{top.host}:{top.directory}"


def _places(rotation: RotateRequest) -> Iterator[str]:
    if rotation.dated_day != "sunday":
        yield from ("-dated-day", rotation.dated_day)
    for name, count in rotation.retention.given.items():
        yield from (f"-keep-{name}", str(count))


def age(seconds: float) -> str:
    """Return a length of time as the value of an option, such as ``36h``.

    Args:
        seconds: a whole number.
    """
    unit, length = next(one for one in _UNITS if seconds % one[1] == 0)
    return f"{seconds // length:.0f}{unit}"
