"""What to type next."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.advice import not_run


@pytest.mark.parametrize(
    ("file", "advice"),
    [
        ("/os/bin/osbackup", "See that it is a program this user may run."),
        ("/b/a.img.run", "Put that right and run the same command again."),
        (None, "Put that right and run the same command again."),
    ],
)
def test_a_utility_that_cannot_be_run_is_blamed_only_if_it_is_at_fault(
    file: str | None, advice: str
) -> None:
    """A record that cannot be made, or too many processes, are nothing of its own."""
    assert not_run(OSError(errno.EIO, "Bad", file), "/os/bin/osbackup") == advice
