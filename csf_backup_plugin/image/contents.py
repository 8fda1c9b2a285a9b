"""What is at an image's path and in the small files beside it, read in one exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.postponed import postponed

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.image.path import ImagePath


class Contents(NamedTuple):
    """What was found of an image; each function returns its result, or raises its error.

    Attributes:
        image: the image.
        receipt: returns the contents of its receipt; None if there is none.
        import_file: returns the contents of its import file; None if there is none.
        at: returns what is at its path.
    """

    image: ImagePath
    receipt: Callable[[], bytes | None]
    import_file: Callable[[], bytes | None]
    at: Callable[[], Stat]

    @property
    def lacks_receipt(self) -> bool:
        """Whether there is no receipt at all, not even an unreadable one."""
        try:
            return self.receipt() is None
        except OSError:
            return False


def read_contents(image: ImagePath, host: Host) -> Contents:
    """Look at an image, and read the files beside it; the image itself is not read.

    Args:
        image: the image; it need not exist.
        host: where it is.
    """
    found = host.together(
        postponed(lambda: host.read(image.receipt)),
        postponed(lambda: host.read(image.import_file)),
        postponed(lambda: host.stat([image.path])[0]),
    )
    return Contents(image, *found)
