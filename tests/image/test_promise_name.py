"""The names of promises."""

from __future__ import annotations

import pytest

from csf_backup_plugin.image.promise_name import promise_name, promised


def test_the_name_tells_the_repository() -> None:
    """Rotations and monitoring agree on the name."""
    assert promised(promise_name("5ae1")) == "5ae1"


@pytest.mark.parametrize("name", ["a.img", "csf-backup-promise-.json", "x" + promise_name("5ae1")])
def test_another_name_tells_none(name: str) -> None:
    """Such a file is not read."""
    assert promised(name) == ""
