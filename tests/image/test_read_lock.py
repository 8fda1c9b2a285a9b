"""An image's receipt is locked while the image is read."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.read_lock import not_removed
from doubles import MemoryHost

IMAGE = ImagePath("db1", "/b/a.img")


def test_a_receipt_is_held_while_the_block_runs() -> None:
    """It is not held afterwards."""
    host = MemoryHost({"/b/a.img": b"image", IMAGE.receipt: b"{}"})
    with not_removed(read_contents(IMAGE, host), host):
        assert host.being_read == [IMAGE.receipt]
    assert host.being_read == []


@pytest.mark.parametrize("error", [None, OSError(errno.EIO, "Input/output error")])
def test_an_image_without_a_receipt_is_not_held(error: OSError | None) -> None:
    """Reading the receipt shows what is wrong."""
    host = MemoryHost({"/b/a.img": b"image"})
    if error:
        host.unreadable = {IMAGE.receipt: error}
    with not_removed(read_contents(IMAGE, host), host):
        assert host.being_read == []


def test_an_image_that_has_been_removed_meanwhile_is_none() -> None:
    """The rest of it has no receipt."""
    host = MemoryHost({"/b/a.img": b"image", IMAGE.receipt: b"{}"})
    contents = read_contents(IMAGE, host)
    del host.files[IMAGE.receipt]
    with pytest.raises(FaultFound, match="has no receipt"), not_removed(contents, host):
        pass
