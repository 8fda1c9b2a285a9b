"""What a drill is asked to do, checked before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.names import absolute, shown


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
