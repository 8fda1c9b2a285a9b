"""The results of the verification of many images."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import BACKUP_HELP, verify_command
from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, FaultFound
from csf_backup_plugin.names import first, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.verify import Verified
    from csf_backup_plugin.operations.verify.turns import Candidate

_LEFT = "Only records of verifications were written."


class Result(NamedTuple):
    """The result for one image.

    Attributes:
        image: the image.
        verified: the result of its verification; None if it is not sound, or its receipt alone was
            read.
        problem: what is wrong with the image, or why it could not be verified; None if it is sound.
        is_gone: whether the image was removed meanwhile, or is locked.
    """

    image: ImagePath
    verified: Verified | None = None
    problem: BackupError | None = None
    is_gone: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether the image was verified and has no faults."""
        return self.verified is not None

    @property
    def is_at_fault(self) -> bool:
        """Whether the image has a fault."""
        return isinstance(self.problem, FaultFound) and not self.is_gone

    @property
    def findings(self) -> tuple[str, ...]:
        """The faults of the image."""
        problem = self.problem
        return problem.findings if isinstance(problem, FaultFound) and not self.is_gone else ()


class VerifiedAll(NamedTuple):
    """The results of a run that ended normally.

    Attributes:
        top: ``latest`` of the directory.
        results: the result for each image of this run, in the order of verification.
        recent: the images that were verified recently and not read again.
        left: the images that are left for the next run, in the order of verification.
        skipped: warnings about files that do not count as images.
        seconds: how long it took.
    """

    top: ImagePath
    results: Sequence[Result]
    recent: Sequence[Candidate]
    left: Sequence[Candidate]
    skipped: tuple[str, ...]
    seconds: float

    @property
    def sound(self) -> list[Result]:
        """The images that this run has found without faults."""
        return [one for one in self.results if one.is_sound]

    @property
    def at_fault(self) -> list[Result]:
        """The images that this run has found faulty."""
        return [one for one in self.results if one.is_at_fault]

    @property
    def on_record(self) -> list[Candidate]:
        """The images that an earlier run has found faulty and this one has not read."""
        return [one for one in (*self.recent, *self.left) if one.has_failed]

    @property
    def warnings(self) -> list[str]:
        """The warnings."""
        return [
            *self.skipped,
            *(
                f"{one.image}: {warning}"
                for one in self.results
                if one.verified
                for warning in one.verified.warnings
            ),
            *(
                f"{one.image} was not verified: {one.problem.what}"
                for one in self.results
                if one.problem and not one.is_at_fault
            ),
            *self._unrecorded(),
        ]

    @property
    def problem(self) -> BackupError | None:
        """The error with which the command ends; None if it succeeds."""
        findings = [f"{one.image}: {text}" for one in self.at_fault for text in one.findings]
        findings += [
            f"{one.image}: its last verification failed, as {shown(one.image.verification)} says"
            for one in self.on_record
        ]
        if findings:
            left = [f"{one.image}: {one.problem.left}" for one in self.at_fault if one.problem]
            images = [*(one.image for one in self.at_fault), *(one.image for one in self.on_record)]
            return FaultFound(
                f"Images in {self._where} are not as their backups left them:",
                f"Do not rely on these images. If the newest is among them, make a new backup: "
                f"{BACKUP_HELP}. After you have fixed one, verify it by its name: "
                f"{verify_command(images[0].name)}",
                findings,
                "\n".join(first(left)) or (_LEFT if self.sound else NOTHING_LEFT),
            )
        others = [one.problem for one in self.results if one.problem and not one.is_gone]
        return others[0] if others and not self.sound else None

    @property
    def _where(self) -> str:
        return f"{self.top.host}:{shown(self.top.directory)}"

    def _unrecorded(self) -> list[str]:
        """Return a warning if this run's results could not be recorded for the next one."""
        count = sum(not one.verified.is_recorded for one in self.results if one.verified)
        if not count:
            return []
        return [
            f"{count:,} verifications could not be recorded beside their images, so the next run "
            "begins with the same ones; verify as a user who may write there"
        ]
