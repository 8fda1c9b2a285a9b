"""How HOST:PATH is parsed, and what is refused."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import UnsafeImagePath, UsageError
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.image.path import ImagePath


@pytest.mark.parametrize("host", ["localhost", "db1.example.org", "me@db_1", "10.0.0.7", "x"])
def test_host_and_path_are_split_at_the_first_colon(host: str) -> None:
    """A colon in the path is an ordinary character."""
    assert ImagePath.parse(f"{host}:/b/a:b.img") == ImagePath(host, "/b/a:b.img")


def test_import_file_and_receipt_stand_beside_the_image() -> None:
    """The import file's name is that of the original description: the image's with .dbn."""
    image = ImagePath.parse("localhost:/b/a.img")
    assert (image.import_file, image.receipt) == ("/b/a.img.dbn", "/b/a.img.receipt.json")
    assert {image.path, image.import_file, image.receipt, image.run, image.drill} < {
        *image.whole_set
    }
    assert {*image.unfinished_copy} < {*image.whole_set} - {image.receipt}
    assert image.unfinished_copy[-1] == image.copying
    assert (image.drill, image.run) == ("/b/a.img.drill.json", "/b/a.img.run")
    assert image.directory == "/b"
    assert str(image) == "localhost:/b/a.img"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/b/a.img", "does not begin with HOST:"),
        ("/b/a:b.img", "does not begin with HOST:"),
        ("", "does not begin with HOST:"),
        (":/b/a.img", "'' is not the name of a host"),
        ("-oProxyCommand=x:/b/a.img", "is not the name of a host"),
        ("a b:/b/a.img", "is not the name of a host"),
        ("a'b:/b/a.img", "is not the name of a host"),
        ("@h:/b/a.img", "is not the name of a host"),
        ("me@-h:/b/a.img", "is not the name of a host"),
        ("h\n:/b/a.img", "is not the name of a host"),
        ("h::/b/a.img", "is a rawfs name"),
        ("h:", "is empty"),
        ("h:b/a.img", "is not an absolute path"),
        ("h:/b/", "names a directory"),
        ("h:/b/a\nb", "holds a control character"),
    ],
)
def test_anything_else_is_a_usage_error_that_shows_an_example(text: str, problem: str) -> None:
    """Options, shell syntax and other kinds of names are refused."""
    with pytest.raises(UsageError, match=problem) as caught:
        ImagePath.parse(text)
    assert caught.value.exit_code == ExitCode.USAGE
    assert "localhost:/backups/monday.img" in caught.value.next_step


@pytest.mark.parametrize(
    ("ending", "what"),
    [
        (".dbn", "import file"),
        (".receipt.json", "receipt"),
        (".run", "run record"),
        (".drill.json", "record of a drill"),
        (".verify.json", "record of a verification"),
        (".keep", "mark that it is to be kept"),
    ],
)
def test_a_name_that_belongs_to_another_images_set_is_unsafe(ending: str, what: str) -> None:
    """Two backups could overwrite each other's files; the message names the likely image."""
    with pytest.raises(UnsafeImagePath, match=f"localhost:/b/a.img{ending} cannot") as caught:
        ImagePath.parse(f"localhost:/b/a.img{ending}")
    assert f"that of another image's {what}." in caught.value.what
    assert "Name the image itself, such as localhost:/b/a.img." in caught.value.next_step
    assert caught.value.exit_code == ExitCode.UNSAFE_IMAGE_PATH
    with pytest.raises(UnsafeImagePath):
        ImagePath.parse(f"localhost:/b/{ending}")
    ImagePath.parse(f"localhost:/b/a{ending}.img")


def test_a_temporary_files_name_is_unsafe() -> None:
    """A file with such a name is removed later."""
    with pytest.raises(UnsafeImagePath, match="files of such names are temporary, and removed"):
        ImagePath.parse("localhost:/b/.csf-0123456789abcdef.tmp")
    ImagePath.parse("localhost:/b/csf-0123456789abcdef.tmp")


def test_a_name_must_leave_room_for_the_files_beside_it() -> None:
    """A file system limits names to 255 bytes, not characters."""
    ImagePath.parse("localhost:/b/" + "é" * 121)
    with pytest.raises(UsageError, match="too long a name, with the .receipt.json"):
        ImagePath.parse("localhost:/b/" + "é" * 121 + "x")


def test_latest_stands_for_another_image() -> None:
    """This holds in any directory; a name that only ends alike is an ordinary image."""
    assert ImagePath.parse("localhost:/b/latest").is_latest
    assert not ImagePath.parse("localhost:/b/my-latest").is_latest
    assert not ImagePath.parse("localhost:/latest/a.img").is_latest
