"""The error of a rotation that has made a proven set, but does not end with 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import drill_command
from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, Withheld
from csf_backup_plugin.names import listed

if TYPE_CHECKING:
    from csf_backup_plugin.operations.rotate.drilling import Drilled
    from csf_backup_plugin.operations.rotate.filling import Filled
    from csf_backup_plugin.operations.rotate.set_removal import Removal
    from csf_backup_plugin.operations.rotate.site import Site


def verdict(
    site: Site, filled: Filled, drilled: Drilled | None, removal: Removal
) -> BackupError | None:
    """Return the error; None if there is none.

    Args:
        site: the host, the repository and the image directories.
        filled: tonight's set.
        drilled: the drill of that set; None if none was due.
        removal: what was decided about all sets, and done.
    """
    if removal.withheld:
        return _withheld(site, filled, removal)
    if drilled and drilled.problem:
        return _not_drilled(filled, drilled, drilled.problem, removal)
    return None


def _withheld(site: Site, filled: Filled, removal: Removal) -> Withheld:
    reasons = "\n".join(f"  {reason}" for reason in removal.withheld)
    facts = {"withheld": list(removal.withheld)}
    if site.request.dry_run:
        return Withheld(
            f"Dry run: nothing would be deleted:\n{reasons}",
            "Look into it. If nothing is wrong, give -yes in the next run.",
            facts,
        )
    return Withheld(
        f"The new backup is proven: {filled.image}. Nothing was deleted:\n{reasons}",
        f"Look into it; {drill_command(filled.image.name)} tries to restore the new one. If "
        "nothing is wrong, run the same command once with -yes.",
        facts,
        left="All older sets are as they were.",
    )


def _not_drilled(
    filled: Filled, drilled: Drilled, problem: BackupError, removal: Removal
) -> BackupError:
    """Return the drill's error, with the sentences of a rotation."""
    how = "failed" if drilled.is_fault else "was not made"
    problem.what = f"The new backup is proven: {filled.image}. Its drill {how}: {problem.what}"
    if removal.removed:
        gone = listed([image.name for image in removal.removed])
        problem.left = f"Removed, since newer ones replace them: {gone}."
    else:
        problem.left = NOTHING_LEFT.replace("Nothing was", "Nothing else was")
    again = drill_command(filled.image.name)
    problem.next_step = (
        "Look into the databases, and drill an older set too."
        if drilled.is_fault
        else f"{problem.next_step}\nThe drill alone is made by {again}"
    )
    return problem
