"""An image that is not what its receipt says is not restored."""

from __future__ import annotations

import pytest

from csf_backup_plugin import receipt
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.hosts.protocol import Completed
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.proven import Proven
from csf_backup_plugin.restore_check import check_image
from doubles import Memory, MemoryHost

IMAGE = ImagePath("db1", "/b/a.img")
NAMES = b"/r/lib.db\n"
SOUND = Proven("/r/lib.db", {"/r/lib.db": 1}, 5, "digest of /b/a.img", receipt.sha256(NAMES), "")


@pytest.fixture
def host() -> MemoryHost:
    """Return a host with a sound image."""
    made = MemoryHost({IMAGE.path: b"image", IMAGE.import_file: NAMES})
    made.listing = Completed(0, NAMES)
    return made


def check(host: MemoryHost, proven: Proven = SOUND) -> Memory:
    """Check the image; return who watched."""
    watcher = Memory()
    check_image(IMAGE, proven, "/os/bin/osrestore", 1, host, watcher)
    return watcher


def test_a_sound_image_passes_and_its_checksum_is_watched(host: MemoryHost) -> None:
    """One without a checksum passes unwatched."""
    assert check(host).steps == [("checking", 5, 5)]
    assert check(host, SOUND._replace(sha256=None)).steps == []


def test_each_fault_is_named(host: MemoryHost) -> None:
    """The cheap looks come first."""
    for proven, message in (
        (SOUND._replace(size=6), "it has 5 bytes, and had 6"),
        (SOUND._replace(import_file_sha256="0"), "its import file /b/a.img.dbn has changed"),
        (SOUND._replace(databases={"/r/x.db": 1}), "do not agree on /r/lib.db, /r/x.db"),
        (SOUND._replace(sha256="0"), "its SHA-256 is digest of /b/a.img, and was 0"),
    ):
        with pytest.raises(FaultFound, match=message):
            check(host, proven)
    host.listing = Completed(1, b"not an image\n")
    with pytest.raises(FaultFound, match=r"cannot read it: exit 1(?s:.*)not an image"):
        check(host)
    del host.files[IMAGE.import_file]
    with pytest.raises(FaultFound, match=r"import file /b/a.img.dbn is missing"):
        check(host)
    del host.files[IMAGE.path]
    with pytest.raises(FaultFound, match="there is no such file"):
        check(host)
