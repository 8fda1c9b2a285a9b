"""How the utilities are called, and how their output is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.objectstore.commands import (
    import_file,
    imported_databases,
    list_databases,
    osbackup,
    restore,
    verify_database,
)

IMAGE = "/b/a.img"
PATHS = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])).map(
    "/".__add__
)


def test_osbackup_is_called_exactly_as_the_original_says() -> None:
    """It is osbackup -a -I <importfile> -f <backupimagefilepath>."""
    assert osbackup("/os/osbackup", "/b/a.img.dbn", IMAGE) == [
        *("/os/osbackup", "-a", "-I", "/b/a.img.dbn", "-f", "/b/a.img")
    ]


def test_osrestore_is_asked_only_for_a_list() -> None:
    """With -t, osrestore restores nothing."""
    assert list_databases("osrestore", IMAGE) == ["osrestore", "-t", "-f", "/b/a.img"]


def test_a_restore_goes_to_the_original_places_or_where_pairs_say() -> None:
    """It is osrestore -f <backupimagefilepath>, followed by pairs if there are any."""
    assert restore("osrestore", IMAGE) == ["osrestore", "-f", "/b/a.img"]
    pairs = [("/r", "/s/r"), ("/far/x.db", "/s/x.db")]
    assert restore("osrestore", IMAGE, pairs) == [
        *("osrestore", "-f", "/b/a.img", "/r", "/s/r", "/far/x.db", "/s/x.db")
    ]


def test_a_databases_name_is_all_osverifydb_gets() -> None:
    """The name follows the command."""
    assert verify_database("/os/bin/osverifydb") == ["/os/bin/osverifydb"]


@given(st.lists(PATHS, min_size=1))
def test_an_import_file_is_read_back_in_its_order(paths: list[str]) -> None:
    """The first one is the master database."""
    assert imported_databases(import_file(paths)) == paths


@pytest.mark.parametrize("contents", [b"", b"\n", b"/r/a.db", b"/r/a.db\nb.db\n", b"/a\n\n/b\n"])
def test_an_import_file_that_is_not_whole_names_nothing(contents: bytes) -> None:
    """Half a list would be wrong."""
    assert imported_databases(contents) == []


def test_the_import_file_has_a_name_a_line() -> None:
    """Names that are not text are written byte for byte."""
    assert import_file(["/r/a b.db", "/r/\udcff.db"]) == b"/r/a b.db\n/r/\xff.db\n"
