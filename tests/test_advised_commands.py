"""Advised commands: what to type next."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.advised_commands import not_run, restore_command, verify_command


@pytest.mark.parametrize(
    ("file", "advice"),
    [
        ("/os/bin/osbackup", "Check that it is a program that this user may run."),
        ("/b/a.img.run", "Fix that, and run the same command again."),
        (None, "Fix that, and run the same command again."),
    ],
)
def test_a_utility_that_cannot_be_run_is_blamed_only_if_it_is_at_fault(
    file: str | None, advice: str
) -> None:
    """A record that cannot be made, or too many processes, are no fault of the utility."""
    assert not_run(OSError(errno.EIO, "Bad", file), "/os/bin/osbackup") == advice


def test_an_advised_command_can_be_typed() -> None:
    """A name with a blank is quoted, and options follow it."""
    image = "localhost:/b/a b.img"
    assert verify_command(image) == f"csf admin_database_verify -image-file '{image}'"
    assert restore_command("/r/l.db", image, "-into", "/s") == (
        f"csf admin_database_restore -database /r/l.db -image-file '{image}' -into /s"
    )
