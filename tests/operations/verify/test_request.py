"""Requests to verify all images."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.verify.request import VerifyAllRequest, check_one_image


def test_a_request_names_a_directory() -> None:
    """A repository is optional."""
    made = VerifyAllRequest.parse("h:/b/", "/r/lib.db", 5.0, 7.0)
    assert made.repository
    assert (made.top, made.repository.master) == (ImagePath("h", "/b/latest"), "/r/lib.db")
    assert (made.older_than, made.budget) == (5.0, 7.0)
    assert VerifyAllRequest.parse("h:/b").repository is None


@pytest.mark.parametrize(("directory", "master"), [("/b", None), ("h:b", None), ("h:/b", "x")])
def test_what_cannot_be_is_refused(directory: str, master: str | None) -> None:
    """They are refused before anything is examined."""
    with pytest.raises(UsageError):
        VerifyAllRequest.parse(directory, master)


def test_the_options_of_many_images_are_refused_with_one() -> None:
    """This holds for either option."""
    check_one_image(None, None)
    for given in ((5.0, None), (None, 5.0)):
        with pytest.raises(UsageError, match="-older-than and -budget need -image-dir"):
            check_one_image(*given)
