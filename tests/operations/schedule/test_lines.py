"""The words of the commands of a schedule."""

from __future__ import annotations

import pytest

from csf_backup_plugin.operations.rotate.request import RotateRequest
from csf_backup_plugin.operations.schedule.lines import rotate_words


@pytest.mark.parametrize(
    ("every", "words"),
    [(86400.0, ["-every", "24h"]), (172800.0, ["-every", "2d"]), (None, [])],
)
def test_a_rotation_promises_what_its_request_promises(
    every: float | None, words: list[str]
) -> None:
    """Without a promise there is no option: the default is that of the request's maker."""
    request = RotateRequest.parse("/r/lib.db", ["h:/b"], {}, every=every)
    made = rotate_words(request, strict=False, require_mount=False)
    assert made[5:] == words
