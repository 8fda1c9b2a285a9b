"""What stands at an image's path, and what is in the small files beside it, asked for at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.postponed import postponed

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol import Host, Stat
    from csf_backup_plugin.image.path import ImagePath


class Contents(NamedTuple):
    """What was found of an image; each is called for what it is, or its error.

    Attributes:
        image: which.
        receipt: what is in its receipt; None where there is none.
        import_file: likewise, of its import file.
        at: what stands at its path.
    """

    image: ImagePath
    receipt: Callable[[], bytes | None]
    import_file: Callable[[], bytes | None]
    at: Callable[[], Stat]

    @property
    def lacks_receipt(self) -> bool:
        """Whether there is no receipt at all, not even one that cannot be read."""
        try:
            return self.receipt() is None
        except OSError:
            return False


def read_contents(image: ImagePath, host: Host) -> Contents:
    """Look at an image, and read what is beside it; the image itself is not read.

    Args:
        image: which; it need not be there.
        host: where it is.
    """
    found = host.together(
        postponed(lambda: host.read(image.receipt)),
        postponed(lambda: host.read(image.import_file)),
        postponed(lambda: host.stat([image.path])[0]),
    )
    return Contents(image, *found)
