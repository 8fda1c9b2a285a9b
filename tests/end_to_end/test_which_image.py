"""Which image is the newest, and of which repository: by id and number, never by the clock."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sshd import Sshd, reached
from ways import over_ssh

from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup import back_up as back_up_at
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.verify import verify as verify_at
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place, Tools

    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_simulator.simulator import Result
    from sites import Site

# Which image is newest is decided above the hosts; over ssh runs what a host does its own way.
pytestmark = pytest.mark.ways("local")

FUTURE = "2099-01-01T00:00:00+00:00"
SET = ("", ".dbn", ".receipt.json")
AFTERWARDS = 2_000_000_000  # seconds since the epoch; later than any file that a test makes

# Another machine: its id is another one, and so is its name; $0 has the id, $1 is the name.
MACHINE = """
[ ! -e /etc/machine-id ] || mount --bind "$0" /etc/machine-id
exec unshare -u sh -euc 'hostname "$0"; exec "$@"' "$@"
"""
READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,ro,bind "$0"; exec "$@"'
# A disk for the directory $0; what it holds comes from $1 and goes back there.
DISK = """
directory=$0; kept=$1; shift
mount -t tmpfs none "$directory"
cp -a "$kept/." "$directory"
code=0; "$@" || code=$?
cp -a "$directory/." "$kept"
exit $code
"""
# An osbackup that copies the manifest before it begins.
LOOKING = """#!/bin/sh
cp {manifest} {seen} && exec {real} "$@"
"""


class Machine:
    """Another machine that has the site's disks.

    Args:
        prefix: what runs a shell script in a namespace of its own.
        root: where its machine-id is kept.
        name: what it is called.
    """

    def __init__(self, prefix: list[str], root: Path, name: str) -> None:
        machine_id = root / f"{name}.machine-id"
        machine_id.write_text(hashlib.md5(name.encode()).hexdigest() + "\n")
        self.prefix = [*prefix, MACHINE, str(machine_id), name]


def command(site: Site, name: str, *options: str, image: str = "latest") -> list[str]:
    """Return a command line about an image in the site's directory."""
    path = f"{site.host}:{site.images / image}"
    return ["csf", f"admin_database_{name}", "-image-file", path, *options]


def verify(site: Site, *options: str, image: str = "latest") -> Result:
    """Verify an image."""
    return site.sim.run(command(site, "verify", *options, image=image))


def of(site: Site) -> list[str]:
    """Return the option that names the site's repository."""
    return ["-database", site.master]


def manifest(site: Site, *options: str, on: Machine | None = None) -> Result:
    """Show or change the manifest."""
    words = ["csf", "admin_database_manifest", *of(site), "-host", site.host, *options]
    return site.sim.run([*(on.prefix if on else []), *words])


def back_up(
    site: Site, image: str, *options: str, on: Machine | None = None, **variables: str
) -> dict[str, Any]:
    """Back the site's repository up to an image of that name; return the messages."""
    words = command(site, "backup", *of(site), "-json", *options, image=image)
    done = site.sim.run([*(on.prefix if on else []), *words], env=variables)
    assert done.exit_code == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def restore(site: Site, *options: str, image: str = "latest") -> Result:
    """Restore the site's repository without questions."""
    return site.sim.run(command(site, "restore", *of(site), "-yes", *options, image=image))


def latest(site: Site, *, on: Machine | None = None, named: bool = True) -> str:
    """Return the name of the newest image, of the site's repository if `named`."""
    words = command(site, "verify", "-json", *(of(site) if named else []))
    done = site.sim.run([*(on.prefix if on else []), *words])
    assert done.exit_code == 0, done.stderr
    image: str = json.loads(done.stdout)["image"]
    return os.path.basename(image)


def told(site: Site, *options: str) -> list[str]:
    """Return the warnings of all commands that take ``latest``; all must succeed."""
    warnings = []
    for words in (
        command(site, "verify", *of(site)),
        command(site, "drill", *of(site), "-scratch-dir", str(site.images.parent)),
        command(site, "restore", *of(site), "-yes"),
        command(site, "manifest", *of(site)),
    ):
        done = site.sim.run([*words, "-json", *options])
        assert done.exit_code == 0, done.stderr
        warnings.append("\n".join(json.loads(done.stdout)["warnings"]))
    return warnings


def type_in(site: Site, text: str, on: Machine | None = None) -> list[Result]:
    """Run every command that is printed at the end of a line."""
    lines = [line for line in text.splitlines() if "csf admin_database_" in line]
    words = [shlex.split(line[line.index("csf admin_database_") :]) for line in lines]
    return [site.sim.run([*(on.prefix if on else []), *each]) for each in words]


def receipt(site: Site, image: str) -> Path:
    """Return the path of an image's receipt."""
    return site.images / f"{image}.receipt.json"


def rewrite(site: Site, image: str, **facts: object) -> None:
    """Change a receipt, and seal it again so that it is valid."""
    path = receipt(site, image)
    body = {**json.loads(path.read_bytes()), **facts}
    body.pop("~sha256")
    sealed = {**body, "~sha256": hashlib.sha256(dump(body)).hexdigest()}
    path.write_bytes(dump(sealed))


def dump(document: dict[str, Any]) -> bytes:
    """Return a document in the form of receipts."""
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def elsewhere(site: Site, name: str) -> str:
    """Return the path of the master database in a directory of another name."""
    parent = os.path.dirname(site.repository)
    return os.path.join(parent, name, os.path.basename(site.master))


def go_to(site: Site, master: str) -> str:
    """Continue with another repository; return the master database of the old one."""
    before, site.master = site.master, master
    site.repository = os.path.dirname(master)
    return before


def copied(site: Site, name: str = "copy") -> str:
    """Copy the repository's directory with all files; return the copy's master database."""
    shutil.copytree(site.repository, os.path.dirname(elsewhere(site, name)))
    return elsewhere(site, name)


@pytest.fixture
def machines(local_site: Site, namespace: list[str]) -> tuple[Machine, Machine]:
    """Return two other machines."""
    one, two = (Machine(namespace, local_site.images.parent, name) for name in ("one", "two"))
    return one, two


# Numbers.


@pytest.mark.ways("local", "ssh")
def test_every_backup_has_the_next_number_of_its_repository(site: Site) -> None:
    """The number is in the receipt with the id, and both are in the manifest."""
    made = [back_up(site, name) for name in ("a", "b", "c")]
    assert [one["number"] for one in made] == [1, 2, 3]
    (identity,) = {one["repository_id"] for one in made}
    facts = json.loads(receipt(site, "b").read_bytes())
    assert (facts["repository_id"], facts["number"]) == (identity, 2)
    shown = json.loads(manifest(site, "-json").stdout)
    assert (shown["repository_id"], shown["number"]) == (identity, 3)


def test_a_dry_run_uses_no_number(site: Site) -> None:
    """It creates no id in the manifest either."""
    back_up(site, "a", "-dry-run")
    assert not os.path.exists(f"{site.master}.manifest")
    back_up(site, "a")
    back_up(site, "b", "-dry-run")
    assert back_up(site, "b")["number"] == 2


def test_the_number_is_in_the_manifest_before_osbackup_starts(site: Site, tmp_path: Path) -> None:
    """No other backup can get the same number."""
    back_up(site, "a")
    program, seen = tmp_path / "looking" / "osbackup", tmp_path / "seen"
    program.parent.mkdir()
    real = shlex.quote(os.path.join(site.sim.home.bin, "osbackup"))
    path = shlex.quote(f"{site.master}.manifest")
    program.write_text(LOOKING.format(manifest=path, seen=shlex.quote(str(seen)), real=real))
    program.chmod(0o755)
    back_up(site, "b", CSF_BACKUP_OSBACKUP=str(program))
    assert f" backup/2 {site.images}/b\n" in seen.read_text()


def test_a_failed_backup_uses_its_number_up(site: Site) -> None:
    """Numbers may be skipped, and the message says so."""
    back_up(site, "a")
    site.sim.fault("osbackup", "exit", "3")
    failed = site.sim.run(command(site, "backup", *of(site), image="b"))
    assert failed.exit_code == 40
    assert "The number 2 is used up" in failed.stderr
    assert back_up(site, "b")["number"] == 3


def test_no_number_comes_twice_whatever_becomes_of_the_manifest(site: Site) -> None:
    """The manifest may be restored, rebuilt, set back or lost: id and numbers continue."""
    old = f"{site.master}.manifest"
    first = back_up(site, "1")
    set_back = Path(old).read_bytes()
    back_up(site, "2")
    assert restore(site, image="1").exit_code == 0
    made = [back_up(site, "3")]
    assert manifest(site, "-rebuild").exit_code == 0
    made.append(back_up(site, "4"))
    Path(old).write_bytes(set_back)
    made.append(back_up(site, "5"))
    os.unlink(old)
    made.append(back_up(site, "6"))
    assert any("does not say which repository" in text for text in made[-1]["warnings"])
    os.unlink(old)
    assert restore(site, image="2").exit_code == 0
    made.append(back_up(site, "7"))
    os.unlink(old)
    where = f"{site.host}:{site.images}/3"
    assert manifest(site, "-rebuild", "-image-file", where).exit_code == 0
    made.append(back_up(site, "8"))
    assert [one["number"] for one in made] == [3, 4, 5, 6, 7, 8]
    assert {one["repository_id"] for one in made} == {first["repository_id"]}


def test_a_lost_manifest_and_a_damaged_receipt_repeat_no_number(site: Site) -> None:
    """The damaged receipt may have had the highest number; a message says it was ignored."""
    back_up(site, "a")
    back_up(site, "b")
    os.unlink(f"{site.master}.manifest")
    receipt(site, "b").write_bytes(receipt(site, "b").read_bytes() + b"\n")
    made = back_up(site, "c")
    assert any(str(site.images / "b") in text for text in made["warnings"]), made["warnings"]
    assert made["number"] > 2


@pytest.mark.ways("local", "ssh")
def test_where_the_manifest_cannot_be_written_the_receipts_tell_the_number(
    local_site: Site, namespace: list[str]
) -> None:
    """A message says so; once the manifest can be written, the numbers continue from there."""
    site = local_site
    identity = back_up(site, "1")["repository_id"]
    for number in (2, 3):
        words = command(site, "backup", *of(site), "-json", image=str(number))
        done = site.sim.run([*namespace, READ_ONLY, site.repository, *words])
        assert done.exit_code == 0, done.stderr
        made = json.loads(done.stdout)
        assert (made["repository_id"], made["number"]) == (identity, number)
        assert any("cannot be written" in text for text in made["warnings"])
    assert latest(site) == "3"
    assert back_up(site, "4")["number"] == 4


@pytest.mark.ways("local", "ssh")
def test_without_manifest_and_where_none_can_be_made_an_image_is_never_newest(
    local_site: Site, namespace: list[str]
) -> None:
    """The image has no id; a command that names it works as usual."""
    site = local_site
    Path(f"{site.master}.lock").touch()
    words = command(site, "backup", *of(site), "-json", image="none")
    done = site.sim.run([*namespace, READ_ONLY, site.repository, *words])
    assert done.exit_code == 0, done.stderr
    facts = json.loads(receipt(site, "none").read_bytes())
    assert (facts["repository_id"], facts["number"]) == (None, None)
    assert verify(site).exit_code == 50
    assert verify(site, image="none").exit_code == 0
    assert back_up(site, "one")["number"] == 1
    assert latest(site) == latest(site, named=False) == "one"
    assert restore(site, image="none").exit_code == 0


def test_a_lost_manifest_and_images_of_two_repositories_are_refused(site: Site) -> None:
    """Each printed command, typed, decides which repository it is."""
    kept = site.images.parent / "kept"
    ids = [back_up(site, "a")["repository_id"]]
    os.unlink(f"{site.master}.manifest")
    os.rename(site.images, kept)
    site.images.mkdir()
    ids.append(back_up(site, "b")["repository_id"])
    os.unlink(f"{site.master}.manifest")
    shutil.copytree(kept, site.images, dirs_exist_ok=True)
    refused = site.sim.run(command(site, "backup", *of(site), image="c"))
    assert refused.exit_code == 13
    assert verify(site, *of(site)).exit_code == 13
    assert restore(site).exit_code == 13
    ways = [line for line in refused.stderr.splitlines() if "csf admin_database_" in line]
    for image, identity in zip("ab", ids, strict=True):
        (way,) = [line for line in ways if f"{site.images}/{image}" in line]
        assert [typed.exit_code for typed in type_in(site, way)] == [0]
        made = back_up(site, f"{image}2")
        assert (made["repository_id"], made["number"]) == (identity, 2)
        os.unlink(f"{site.master}.manifest")


def test_restored_into_another_directory_it_is_another_repository(site: Site) -> None:
    """The new repository has a new id, and its images are kept apart from those of the first."""
    first = back_up(site, "a")
    second = elsewhere(site, "second")
    os.mkdir(os.path.dirname(second))
    home = go_to(site, second)
    assert restore(site, "-into", os.path.dirname(second), image="a").exit_code == 0
    made = back_up(site, "b")
    assert made["repository_id"] != first["repository_id"]
    assert made["number"] == 1
    assert latest(site) == "b"
    go_to(site, home)
    assert latest(site) == "a"


# Copies, clones, and what was moved.


@pytest.mark.ways("local", "ssh")
def test_a_copy_is_backed_up_and_its_images_are_kept_apart(site: Site) -> None:
    """Until the user says which one is the copy, the commands warn."""
    back_up(site, "a")
    home = go_to(site, copied(site))
    for name in ("b", "c"):
        warnings = back_up(site, name)["warnings"]
        assert any("was moved or copied" in text and home in text for text in warnings)
        assert latest(site) == name
    copy = go_to(site, home)
    assert latest(site) == "a"
    refused = verify(site)
    assert refused.exit_code == 13
    assert home in refused.stderr
    assert copy in refused.stderr
    back_up(site, "d")
    assert latest(site) == "d"
    go_to(site, copy)
    assert latest(site) == "c"


def test_a_copy_that_is_said_to_be_one_gets_an_id_of_its_own(site: Site) -> None:
    """Older images then belong to the other repository."""
    first = back_up(site, "a")["repository_id"]
    home = go_to(site, copied(site))
    back_up(site, "b")
    assert manifest(site, "-rebuild", "-copied").exit_code == 0
    made = back_up(site, "c")
    assert made["repository_id"] != first
    assert not any("moved or copied" in text for text in made["warnings"])
    assert latest(site) == "c"
    for image in ("a", "b"):
        assert restore(site, image=image).exit_code == 13
    go_to(site, home)
    assert latest(site) == "a"


def test_a_copy_and_its_original_never_share_a_database_outside(site: Site) -> None:
    """The copy's manifest lists it by path, so it would be overwritten, with or without -copied."""
    far = f"{site.repository}-far/Far.db"
    os.mkdir(os.path.dirname(far))
    shutil.copy(os.path.join(site.repository, "Class1.db"), far)
    back_up(site, "a")
    assert manifest(site, "-add", far).exit_code == 0
    home = go_to(site, copied(site))
    backup = command(site, "backup", *of(site), image="b")
    refused = site.sim.run(backup)
    assert refused.exit_code == 13
    assert far in refused.stderr
    rebuilt = manifest(site, "-rebuild", "-copied")
    if rebuilt.exit_code == 0:
        made = site.sim.run([*backup, "-json"])
        assert made.exit_code == 13 or far not in json.loads(made.stdout)["databases"]
    go_to(site, home)
    assert far in back_up(site, "c")["databases"]


def test_a_moved_repository_that_is_said_to_be_moved_goes_on(site: Site) -> None:
    """It keeps its id and gets the next number.

    Images made in between belong to no other repository.
    """
    first = back_up(site, "a")
    new = elsewhere(site, "new")
    os.rename(site.repository, os.path.dirname(new))
    go_to(site, new)
    assert any("was moved or copied" in text for text in back_up(site, "b")["warnings"])
    assert manifest(site, "-rebuild", "-moved").exit_code == 0
    made = back_up(site, "c")
    assert (made["repository_id"], made["number"]) == (first["repository_id"], 3)
    assert not any("moved or copied" in text for text in made["warnings"])
    assert latest(site) == "c"
    assert latest(site, named=False) == "c"


def test_a_new_repository_at_an_old_path_does_not_take_the_moved_ones_id(site: Site) -> None:
    """Otherwise ``latest`` would mean an image of another repository."""
    first = back_up(site, "a")["repository_id"]
    new = elsewhere(site, "new")
    os.rename(site.repository, os.path.dirname(new))
    old = go_to(site, new)
    assert manifest(site, "-rebuild", "-moved").exit_code == 0
    back_up(site, "b")
    shutil.copytree(os.path.dirname(new), os.path.dirname(old))
    os.unlink(f"{old}.manifest")
    go_to(site, old)
    made = site.sim.run(command(site, "backup", *of(site), "-json", image="c"))
    assert made.exit_code == 13 or json.loads(made.stdout)["repository_id"] != first
    go_to(site, new)
    assert latest(site) == "b"


def test_a_database_that_names_a_path_of_before_is_not_told_an_old_image_is_newest(
    site: Site,
) -> None:
    """A schedule that still names the old path after a move must fail visibly."""
    back_up(site, "a")
    new = elsewhere(site, "new")
    os.rename(site.repository, os.path.dirname(new))
    old = go_to(site, new)
    assert manifest(site, "-rebuild", "-moved").exit_code == 0
    back_up(site, "b")
    done = verify(site, "-database", old, "-json")
    assert done.exit_code != 0 or json.loads(done.stdout)["warnings"]


def test_before_its_first_backup_a_moved_repository_is_not_said_to_have_no_images(
    site: Site,
) -> None:
    """The message says that the images of this id were made elsewhere, and what to type."""
    back_up(site, "a")
    new = elsewhere(site, "new")
    os.rename(site.repository, os.path.dirname(new))
    go_to(site, new)
    for ended in (verify(site, *of(site)), restore(site)):
        assert ended.exit_code != 0
        assert str(site.images / "a") in ended.stderr, ended.stderr


@pytest.mark.ways("local", "ssh")
def test_a_clone_is_kept_apart_from_its_original(
    local_site: Site, machines: tuple[Machine, Machine]
) -> None:
    """Both have the same path and the same directory of images."""
    site, (one, two) = local_site, machines
    back_up(site, "a", on=one)
    warnings = back_up(site, "b", on=two)["warnings"]
    assert any("machine" in text and "moved or copied" in text for text in warnings)
    assert latest(site, on=two) == "b"
    assert latest(site, on=one) == "a"
    assert verify(site).exit_code == 13
    facts = json.loads(receipt(site, "b").read_bytes())
    assert (facts["machine"], facts["host"]) == ("two", "localhost")


def test_a_disk_on_another_machine_still_has_its_images(
    local_site: Site, machines: tuple[Machine, Machine]
) -> None:
    """After the machine was replaced, ``latest`` works for a restore before the first backup."""
    site, (one, two) = local_site, machines
    back_up(site, "a", on=one)
    words = command(site, "restore", *of(site), "-yes")
    ended = site.sim.run([*two.prefix, *words])
    assert ended.exit_code == 0 or str(site.images / "a") in ended.stderr, ended.stderr


def test_a_machine_that_was_replaced_is_told_by_moved(
    local_site: Site, machines: tuple[Machine, Machine]
) -> None:
    """With -moved, id and numbers continue on the new machine."""
    site, (one, two) = local_site, machines
    first = back_up(site, "a", on=one)
    back_up(site, "b", on=two)
    assert manifest(site, "-rebuild", "-moved", on=two).exit_code == 0
    made = back_up(site, "c", on=two)
    assert (made["repository_id"], made["number"]) == (first["repository_id"], 3)
    assert latest(site, on=two) == "c"


def test_a_clone_without_manifest_finds_a_way_out_of_what_is_printed(
    local_site: Site, machines: tuple[Machine, Machine]
) -> None:
    """Its images have two ids: those before it was said to be a copy, and those after."""
    site, (one, two) = local_site, machines
    back_up(site, "a", on=one)
    back_up(site, "b", on=two)
    assert manifest(site, "-rebuild", "-copied", on=two).exit_code == 0
    back_up(site, "c", on=two)
    os.unlink(f"{site.master}.manifest")
    words = command(site, "backup", *of(site), image="d")
    refused = site.sim.run([*two.prefix, *words])
    if refused.exit_code == 13:
        ways = [line for line in refused.stderr.splitlines() if "csf admin_database_" in line]
        for way in ways:
            assert [typed.exit_code for typed in type_in(site, way, two)] == [0]
            ended = site.sim.run([*two.prefix, *words, "-dry-run"])
            assert ended.exit_code == 0, ended.stderr
            os.unlink(f"{site.master}.manifest")


def test_a_copy_that_has_lost_its_manifest_does_not_take_its_originals_id(
    local_site: Site, machines: tuple[Machine, Machine]
) -> None:
    """Receipts of another machine do not count as its own."""
    site, (one, two) = local_site, machines
    first = back_up(site, "a", on=one)["repository_id"]
    os.unlink(f"{site.master}.manifest")
    made = back_up(site, "b", on=two)
    assert made["repository_id"] != first
    assert made["number"] == 1


# Which is the latest.


@pytest.mark.ways("local", "ssh")
def test_the_highest_number_is_the_latest_whatever_the_clocks_said(site: Site) -> None:
    """Neither the start of the backup nor the files' timestamps matter."""
    for name in ("c", "b", "a"):
        back_up(site, name)
    years = {"c": 2024, "b": 2020, "a": 2016}
    for image, year in years.items():
        rewrite(site, image, started=f"{year}-01-01T00:00:00+00:00")
        for suffix in SET:
            os.utime(site.images / f"{image}{suffix}", (year * 31557600 - 62167219200,) * 2)
    assert latest(site) == "a"
    assert latest(site, named=False) == "a"


def test_an_image_under_another_name_has_its_number_still(site: Site) -> None:
    """It may have been moved or copied; of two copies, the one with its own name counts."""
    back_up(site, "a")
    back_up(site, "b")
    for suffix in SET:
        shutil.copy(site.images / f"b{suffix}", site.images / f"z{suffix}")
    assert latest(site) == "b"
    for suffix in SET:
        os.unlink(site.images / f"b{suffix}")
    assert latest(site) == "z"


@pytest.mark.ways("local", "ssh")
def test_several_repositories_in_one_directory_are_named(site: Site) -> None:
    """Without -database the refusal asks for it; with it, each command finds its own repository."""
    back_up(site, "a")
    home = go_to(site, site.sim.repository(classes=1))
    back_up(site, "b")
    scratch = ["-scratch-dir", str(site.images.parent)]
    for words in (command(site, "verify", "-json"), command(site, "drill", "-json", *scratch)):
        refused = site.sim.run(words)
        assert refused.exit_code == 13
        assert json.loads(refused.stdout)["repositories"] == sorted([home, site.master])
        assert "-database" in json.loads(refused.stdout)["next_step"]
    drilled = site.sim.run(command(site, "drill", *of(site), *scratch))
    assert drilled.exit_code == 0, drilled.stderr
    assert os.path.exists(site.images / "b.drill.json")
    assert latest(site) == "b"
    assert restore(site).exit_code == 0
    go_to(site, home)
    assert latest(site) == "a"
    assert restore(site).exit_code == 0


@pytest.mark.parametrize("name", ["verify", "drill", "restore", "manifest"])
def test_a_named_image_of_another_repository_is_refused(site: Site, name: str) -> None:
    """All commands refuse it, and nothing is changed."""
    back_up(site, "a")
    go_to(site, site.sim.repository(classes=1))
    back_up(site, "b")
    options = {"drill": ["-scratch-dir", str(site.images.parent)], "restore": ["-yes"]}
    before = site.listing()
    ended = site.sim.run(command(site, name, *of(site), *options.get(name, []), image="a"))
    assert ended.exit_code == 13
    assert site.listing() == before


def test_an_image_of_another_id_at_the_same_path_needs_into(site: Site) -> None:
    """The printed command restores it, and the result is a new repository."""
    back_up(site, "a")
    assert manifest(site, "-rebuild", "-copied").exit_code == 0
    back_up(site, "b")
    refused = restore(site, image="a")
    assert refused.exit_code == 13
    (way,) = [line for line in refused.stderr.splitlines() if "-into" in line]
    assert [typed.exit_code for typed in type_in(site, f"{way} -yes")] == [0]
    assert back_up(site, "c")["number"] == 1


# Clocks.


@pytest.mark.ways("local", "ssh")
def test_the_newest_image_must_not_begin_in_the_future(site: Site) -> None:
    """Verify and drill end with 50, and an unattended restore of ``latest`` is refused."""
    back_up(site, "a")
    rewrite(site, "a", started=FUTURE)
    scratch = ["-scratch-dir", str(site.images.parent)]
    for image in ("latest", "a"):
        for name, options in (("verify", []), ("drill", scratch)):
            ended = site.sim.run(command(site, name, *of(site), *options, image=image))
            assert ended.exit_code == 50
            assert FUTURE in ended.stderr
    before = site.listing()
    refused = restore(site)
    assert refused.exit_code == 50
    assert FUTURE in refused.stderr
    assert site.listing() == before
    assert [typed.exit_code for typed in type_in(site, f"{refused.stderr.rstrip()} -yes")] == [0]


def test_an_older_image_that_begins_in_the_future_is_a_warning(site: Site) -> None:
    """The next backup warns, and after it the warning is gone."""
    back_up(site, "a")
    rewrite(site, "a", started=FUTURE)
    made = back_up(site, "b")
    assert any(FUTURE in text and "future" in text for text in made["warnings"])
    assert latest(site) == "b"
    assert restore(site).exit_code == 0
    done = verify(site, "-json", image="a")
    assert done.exit_code == 0
    assert any(FUTURE in text for text in json.loads(done.stdout)["warnings"])


# Receipts that cannot be used.


def damaged(site: Site) -> str:
    """Damage the receipt of image b."""
    receipt(site, "b").write_bytes(receipt(site, "b").read_bytes()[:-9])
    return "damaged"


def newer(site: Site) -> str:
    """Give image b a receipt of a newer version."""
    rewrite(site, "b", schema="csf-backup/receipt/2")
    return "newer version"


def unreleased(site: Site) -> str:
    """Give image b a receipt from before the first release."""
    rewrite(site, "b", schema="csf-backup/1")
    return "unreleased version"


def unreadable(site: Site) -> str:
    """Make the receipt of image b unreadable, even for root."""
    os.rename(receipt(site, "b"), site.images / "elsewhere")
    os.symlink("elsewhere", receipt(site, "b"))
    return "cannot be read"


UNUSABLE = [damaged, newer, unreleased, unreadable]


@pytest.mark.ways("local", "ssh")
@pytest.mark.parametrize("spoil", over_ssh(UNUSABLE, unreadable))
def test_a_newest_receipt_that_cannot_be_used_is_a_finding(site: Site, spoil: Any) -> None:
    """Verify and drill end with 50; restore asks for a name, and the name it prints works."""
    back_up(site, "a")
    back_up(site, "b")
    why = spoil(site)
    later = os.stat(receipt(site, "a")).st_mtime + 60
    os.utime(receipt(site, "b"), (later, later), follow_symlinks=False)
    scratch = ["-scratch-dir", str(site.images.parent)]
    for words in (
        command(site, "verify", *of(site)),
        command(site, "verify"),
        command(site, "drill", *of(site), *scratch),
        command(site, "restore", *of(site), "-yes"),
    ):
        ended = site.sim.run(words)
        assert ended.exit_code == 50
        assert f"{site.images}/b " in ended.stderr
        assert why in ended.stderr
    (way,) = [line for line in ended.stderr.splitlines() if "csf admin_database_restore" in line]
    assert [typed.exit_code for typed in type_in(site, f"{way} -yes")] == [0]


@pytest.mark.parametrize("spoil", UNUSABLE)
def test_an_older_receipt_that_cannot_be_used_is_a_warning_of_every_output(
    site: Site, spoil: Any
) -> None:
    """The newest image is still known for certain."""
    back_up(site, "a")
    back_up(site, "b")
    why = spoil(site)
    back_up(site, "c")
    earlier = os.stat(receipt(site, "c")).st_mtime - 60
    os.utime(receipt(site, "b"), (earlier, earlier), follow_symlinks=False)
    for warnings in told(site):
        assert f"{site.images}/b " in warnings
        assert why in warnings


@pytest.mark.parametrize("spoil", [newer, unreleased])
def test_another_version_is_never_called_damage(site: Site, spoil: Any) -> None:
    """Such a receipt is not damaged."""
    back_up(site, "b")
    why = spoil(site)
    scratch = ["-scratch-dir", str(site.images.parent)]
    for name, options in (("verify", []), ("drill", scratch), ("restore", [*of(site), "-yes"])):
        ended = site.sim.run(command(site, name, *options, image="b"))
        assert ended.exit_code == 50
        assert why in ended.stderr
        assert "damaged" not in ended.stderr
        assert "not as its backup left it" not in ended.stderr


@pytest.mark.ways("local", "ssh")
def test_a_set_without_receipt_only_warns(site: Site) -> None:
    """Its backup may still be running."""
    back_up(site, "a")
    back_up(site, "b")
    os.unlink(receipt(site, "b"))
    scratch = ["-scratch-dir", str(site.images.parent)]
    for words in (command(site, "verify"), command(site, "drill", *scratch)):
        done = site.sim.run([*words, "-json"])
        assert done.exit_code == 0, done.stderr
        facts = json.loads(done.stdout)
        assert facts["image"] == str(site.images / "a")
        assert any(f"{site.images}/b has no receipt" in text for text in facts["warnings"])


def test_what_is_another_repositorys_does_not_stop_the_latest(site: Site) -> None:
    """Its receipts may be unreadable or newer."""
    home = site.master
    go_to(site, site.sim.repository(classes=1))
    back_up(site, "a")
    back_up(site, "b")
    unreadable(site)
    go_to(site, home)
    back_up(site, "c")
    later = os.stat(receipt(site, "c")).st_mtime + 60
    os.utime(receipt(site, "b"), (later, later), follow_symlinks=False)
    assert latest(site) == "c"
    assert not any(f"{site.images}/b " in text for text in told(site))


# Disks that should be mounted.


@pytest.mark.ways("local", "ssh")
def test_require_mount_refuses_a_directory_on_the_root_file_system(
    local_site: Site, namespace: list[str]
) -> None:
    """A backup checks the image's directory, and a restore the repository's."""
    site = local_site
    back_up(site, "a")
    kept = site.images.parent / "kept"
    backup = command(site, "backup", *of(site), "-require-mount", image="b")
    again = command(site, "restore", *of(site), "-yes", "-require-mount", image="a")
    if os.stat(site.images).st_dev == os.stat("/").st_dev:
        for words in (backup, again):
            refused = site.sim.run(words)
            assert refused.exit_code == 12
            assert "-require-mount" in refused.stderr
        assert not os.path.exists(site.images / "b.dbn")
    kept.mkdir()
    done = site.sim.run([*namespace, DISK, str(site.images), str(kept), *backup])
    assert done.exit_code == 0, done.stderr
    assert (kept / "b.receipt.json").exists()
    shutil.copytree(site.repository, kept, dirs_exist_ok=True)
    done = site.sim.run([*namespace, DISK, site.repository, str(kept), *again])
    assert done.exit_code == 0, done.stderr


@pytest.mark.ways("local", "ssh")
def test_a_restore_to_a_disk_that_is_not_mounted_is_refused(
    local_site: Site, namespace: list[str]
) -> None:
    """The disk was mounted during the backup; -accept-unmounted overrides the refusal."""
    site, kept = local_site, local_site.images.parent / "kept"
    shutil.copytree(site.repository, kept)
    on_disk = [*namespace, DISK, site.repository, str(kept)]
    backup = command(site, "backup", *of(site), image="a")
    done = site.sim.run([*on_disk, *backup])
    assert done.exit_code == 0, done.stderr
    mounts = json.loads(receipt(site, "a").read_bytes())["mounts"]
    assert mounts[site.repository] == site.repository
    assert str(site.images) in mounts
    before = site.listing()
    refused = restore(site, image="a")
    assert refused.exit_code == 12
    assert f"mounted at {site.repository}" in refused.stderr
    assert restore(site, "-dry-run", image="a").exit_code == 12
    assert site.listing() == before
    done = site.sim.run([*on_disk, *command(site, "restore", *of(site), "-yes", image="a")])
    assert done.exit_code == 0, done.stderr
    accepted = restore(site, "-accept-unmounted", image="a")
    assert accepted.exit_code == 0, accepted.stderr


@pytest.mark.ways("local", "ssh")
def test_a_disk_that_is_mounted_higher_up_is_mounted(
    local_site: Site, namespace: list[str]
) -> None:
    """A backup of a directory on / may be restored to a disk of its own."""
    site, kept = local_site, local_site.images.parent / "kept"
    back_up(site, "a")
    shutil.copytree(site.repository, kept)
    words = command(site, "restore", *of(site), "-yes", image="a")
    done = site.sim.run([*namespace, DISK, site.repository, str(kept), *words])
    assert done.exit_code == 0, done.stderr


# Costs.


@pytest.mark.remote
def test_the_latest_of_many_costs_as_many_exchanges_as_of_few(
    place: Place, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds for sound, damaged and missing receipts."""
    (tmp_path / "sshd").mkdir()
    path = f"{tools.directory}:{os.environ['PATH']}"
    server = Sshd(tmp_path / "sshd", {"HOME": str(tmp_path), "PATH": path})
    server.start()
    run = Connection.run
    asked: list[str] = []

    def counted(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        asked.append(function)
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", counted)
    newest, counts = ImagePath("remote", f"{place.images}/latest"), []
    with reached(server) as host:
        back_up_at(BackupRequest.parse(place.master, f"remote:{place.image}"), host, Memory())
        for images in (2, 60):
            for number in range(images):
                for suffix in SET:
                    copy = f"{place.images}/{images}-{number}{suffix}"
                    shutil.copy(f"{place.image}{suffix}", copy)
                    if suffix == ".receipt.json" and number % 3 == 1:
                        os.truncate(copy, 100)
                    if suffix == ".receipt.json" and number % 3 == 2:
                        os.unlink(copy)
            os.utime(f"{place.image}.receipt.json", (AFTERWARDS, AFTERWARDS))
            asked.clear()
            verified = verify_at(newest, Repository(place.master), host, Memory())
            assert verified.image.path == place.image
            counts.append(len(asked))
    server.stop()
    assert counts[0] == counts[1] < 30  # a call for each place of a rotation, all at once


@pytest.mark.ways("local", "ssh")
def test_a_repository_that_nobody_may_write_to_is_backed_up_without_a_number(
    local_site: Site, namespace: list[str]
) -> None:
    """On a read-only mount no number can be stored, so the image is never the newest."""
    script = """
    mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift
    exec "$@"
    """
    command = [*namespace, script, "sh", local_site.repository, *local_site.command("-json")]
    done = local_site.sim.run(command)
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["repository_id"], document["number"]) == (None, None)
    warnings = " ".join(document["warnings"])
    assert "a class_create of another user during this backup cannot be prevented" in warnings
    assert "this image has no number, and so is never the latest one" in warnings
    latest = f"localhost:{local_site.images}/latest"
    verified = local_site.sim.csf("admin_database_verify", "-image-file", latest)
    assert verified.exit_code == 50
    assert local_site.on_image("admin_database_verify").exit_code == 0
