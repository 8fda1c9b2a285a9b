"""What a program is told of an image that has its receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.proven import Proven


def image_facts(
    image: ImagePath, proven: Proven, warnings: tuple[str, ...], seconds: float
) -> dict[str, Any]:
    """Return the facts on an image in which nothing is wrong.

    Args:
        image: which.
        proven: what its receipt says.
        warnings: what the user should know all the same.
        seconds: how long it took to find that out.
    """
    return {
        "host": image.host,
        "image": image.path,
        "image_bytes": proven.size,
        "image_sha256": proven.sha256,
        "import_file": image.import_file,
        "receipt": image.receipt,
        "repository_id": proven.origin.id,
        "number": proven.origin.number,
        "master": proven.master,
        "databases": dict(proven.databases),
        "started": proven.started,
        "findings": [],
        "warnings": list(warnings),
        "seconds": round(seconds, 3),
    }
