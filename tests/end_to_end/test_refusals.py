"""Every refusal: its exit code, its message, and directories left unchanged."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sites import Site


def write(path: str, content: str = "precious") -> None:
    """Make a file."""
    with open(path, "w") as file:
        file.write(content)


def inside(site: Site) -> None:
    """Let the path of the image lead into the repository, through a link."""
    os.symlink(site.repository, site.images / "link")
    site.image = str(site.images / "link" / "a.img")


def directory_missing(site: Site) -> None:
    """Let the image's directory be missing."""
    site.image = str(site.images / "none" / "a.img")


def damaged_manifest(site: Site) -> None:
    """Replace the manifest by something else."""
    write(f"{site.master}.manifest", "nonsense\n")


def listed_but_gone(site: Site) -> None:
    """Delete a class's database without csf."""
    site.sim.csf("class_create", "-database", site.master, "-class", "Book")
    os.unlink(os.path.join(site.repository, "Book.db"))


def newline_in_a_name(site: Site) -> None:
    """Give a database a name that no import file can hold."""
    shutil.copy(site.master, os.path.join(site.repository, "a\nb.db"))


REFUSALS: dict[str, tuple[Callable[[Site], object], int, str]] = {
    "image exists": (lambda site: write(site.image), 10, "a.img exists"),
    "image is a directory": (lambda site: os.mkdir(site.image), 10, "a.img exists"),
    "import file exists": (lambda site: write(f"{site.image}.dbn"), 10, "a.img.dbn exists"),
    "receipt exists": (lambda site: write(f"{site.image}.receipt.json"), 10, "json exists"),
    "image is a link to nothing": (lambda site: os.symlink("x", site.image), 10, "a.img exists"),
    "image inside the repository": (inside, 12, "inside the repository"),
    "no image directory": (directory_missing, 12, "does not exist"),
    "damaged manifest": (damaged_manifest, 13, "damaged at line 1"),
    "database gone": (listed_but_gone, 13, "Book.db"),
    "newline in a name": (newline_in_a_name, 13, "a\\x0ab.db"),
    "no master database": (lambda site: os.unlink(site.master), 14, "no such file"),
    "no repository": (lambda site: shutil.rmtree(site.repository), 14, "no such file"),
}


@pytest.mark.parametrize("case", REFUSALS)
@pytest.mark.parametrize("options", [(), ("-dry-run",)])
def test_a_refusal_has_its_code_and_leaves_everything_as_it_was(
    site: Site, case: str, options: tuple[str, ...]
) -> None:
    """A dry run has the same exit code as the real run."""
    prepare, code, words = REFUSALS[case]
    prepare(site)
    before = site.listing()
    result = site.backup(*options)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert words in result.stderr
    assert "Nothing was created or changed." in result.stderr
    assert site.listing() == before


@pytest.mark.ways("local")
@pytest.mark.parametrize(
    "image",
    [
        *("a.img", "/b/a.img", ":/b/a.img", "-h:/b/a.img", "h h:/b/a.img", "localhost:"),
        *("localhost:a.img", "localhost:/b/", "localhost::/b/a.img", "localhost:/b/a\nb"),
    ],
)
def test_an_image_that_is_not_host_and_path_is_a_usage_error(site: Site, image: str) -> None:
    """The message has an example of a valid HOST:PATH."""
    before = site.listing()
    result = site.sim.csf("admin_database_backup", "-database", site.master, f"-image-file={image}")
    assert result.exit_code == 2, result.stderr
    assert "localhost:/backups/monday.img" in result.stderr
    assert site.listing() == before


@pytest.mark.parametrize("ending", [".dbn", ".keep"])
def test_a_file_of_an_images_set_is_no_image_for_any_command(
    local_site: Site, tmp_path: Path, ending: str
) -> None:
    """If the user types the name of a file beside an image, the message names the image."""
    local_site.image += ending
    before = local_site.listing()
    database = ("-database", local_site.master)
    for ended in (
        local_site.backup(),
        local_site.backup("-dry-run"),
        local_site.on_image("admin_database_verify"),
        local_site.on_image("admin_database_drill", "-scratch-dir", str(tmp_path)),
        local_site.on_image("admin_database_manifest", *database),
        local_site.restore("-yes"),
    ):
        assert ended.exit_code == 12, ended.stderr
        image = local_site.image.removesuffix(ending)
        assert f"Name the image itself, such as localhost:{image}." in ended.stderr
    assert local_site.listing() == before


def test_another_host_is_unreachable_and_reported(local_site: Site) -> None:
    """The message has ssh's own error text, and the command to try by hand."""
    before = local_site.listing()
    result = local_site.sim.csf(
        *(
            "admin_database_backup",
            "-database",
            local_site.master,
            "-image-file",
            "elsewhere.invalid:/b/a.img",
        )
    )
    assert result.exit_code == 30
    assert (
        "Host elsewhere.invalid cannot be reached: ssh: Could not resolve hostname" in result.stderr
    )
    assert "Find out by hand why: ssh -o BatchMode=yes" in result.stderr
    assert local_site.listing() == before


def test_a_directory_that_cannot_be_written_to_is_refused(
    local_site: Site, namespace: list[str]
) -> None:
    """A read-only mount is refused, even for root."""
    read_only = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"'
    result = local_site.sim.run(
        [*namespace, read_only, str(local_site.images), *local_site.command()]
    )
    assert result.exit_code == 12, result.stderr
    assert "is not writable" in result.stderr


BIND = 'mount --bind "$0" "$1"; shift; exec "$@"'


def test_what_is_mounted_elsewhere_is_inside_the_repository_all_the_same(
    local_site: Site, namespace: list[str], tmp_path: Path
) -> None:
    """An image in the repository is recognised by device, inode and place in the file system."""
    assert local_site.backup().exit_code == 0
    repository, images, scratch = local_site.repository, str(local_site.images), tmp_path / "s"
    scratch.mkdir()
    below = os.path.join(repository, "below")
    os.mkdir(below)
    for name in os.listdir(images):
        shutil.copy(os.path.join(images, name), repository)
    before = local_site.listing()
    drill = ["csf", "admin_database_drill", "-image-file", f"localhost:{local_site.image}"]
    restore, inside = local_site.restore_command("-yes"), "inside the repository"
    lies_in = "lies in the directory that is to be restored to"
    for mounted, at, command, words in (
        (repository, images, local_site.command(), inside),
        (below, images, local_site.command("-dry-run"), inside),
        (below, str(scratch), [*drill, "-scratch-dir", str(scratch)], inside),
        (repository, images, restore, lies_in),
    ):
        ended = local_site.sim.run([*namespace, BIND, mounted, at, *command])
        assert ended.exit_code == 12, ended.stderr
        assert words in ended.stderr
    assert local_site.listing() == before


def test_a_full_file_system_is_refused_before_anything_is_written(
    local_site: Site, namespace: list[str]
) -> None:
    """A small tmpfs has less room than the databases need."""
    small = 'mount -t tmpfs -o size=32k none "$0"; "$@" || code=$?; ls -A "$0"; exit $code'
    result = local_site.sim.run([*namespace, small, str(local_site.images), *local_site.command()])
    assert (result.exit_code, result.stdout) == (11, ""), result.stderr
    assert "bytes free" in result.stderr


def test_a_limit_met_under_way_leaves_nothing(local_site: Site) -> None:
    """If osbackup exceeds a limit of the file size, what it wrote is removed."""
    before = local_site.listing()
    ended = subprocess.run(
        local_site.command(),
        env=local_site.sim.home.environment(os.environ),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)),
    )
    assert ended.returncode == 40, ended.stderr
    assert "What this run had created was removed" in ended.stderr
    assert local_site.listing() == before
