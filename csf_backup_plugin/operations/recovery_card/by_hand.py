"""The commands to type to restore an image: with this plugin, and with ObjectStore alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import rebuild_command, restore_command
from csf_backup_plugin.names import command
from csf_backup_plugin.objectstore.commands import OSRESTORE, list_databases, restore
from csf_backup_plugin.operations.database_directories import directories, outermost
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt

_HERE = "localhost"  # the card is read on the machine that has the disk


def commands_of(image: ImagePath, receipt: Receipt) -> Iterator[tuple[str, str]]:
    """Yield each command with its explanation, in the order of typing.

    Args:
        image: the image, with its current path.
        receipt: its receipt.
    """
    master, named = receipt.master, f"{_HERE}:{image.path}"
    databases = receipt.databases or [master]
    if receipt.sha256:
        yield (
            "To check the image (it is unchanged if this prints the SHA-256 above):",
            f"sha256sum < {command(image.path)}",
        )
    yield (
        "For both ways, the directories of the databases must exist, and their disks must be "
        "mounted:",
        command("mkdir", "-p", "--", *directories(databases)),
    )
    yield (
        "WITH THIS PLUGIN. It checks the image, names what is in the way, and asks first. -dry-run "
        "changes nothing, -quarantine moves databases away that are in the way, and "
        "-accept-unmounted restores also where another disk was mounted then.",
        restore_command(master, named),
    )
    yield (
        "WITHOUT IT, by ObjectStore alone. This lists the databases in the image. They will be "
        "overwritten. Any other database of this master in those directories must be moved away "
        "first: the restored master would not list it.",
        command(*list_databases(OSRESTORE, image.path)),
    )
    yield (
        "This restores all of them to where they were. If its exit status is not 0, use none of "
        "them, and restore again.",
        command(*restore(OSRESTORE, image.path)),
    )
    pairs = " ".join(f"{command(home)} TARGET" for home in outermost(databases))
    yield (
        "Or this restores them elsewhere, if for each TARGET you write a directory that is there, "
        "is empty, and has the same directories in it. Whether references between databases then "
        "lead to the new places is not known.",
        f"{command(*restore(OSRESTORE, image.path))} {pairs}",
    )
    yield (
        "After a restore without the plugin, as soon as csf is there again, for its next backup:",
        f"{command('rm', '-f', '--', Repository(master).unfinished_restore)} && "
        + rebuild_command(master, _HERE, "-image-file", named),
    )
