"""Messages about hundreds of names: the number, ten names, where the others are, what to type."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.advised_commands import add_command, drop_and_copied_commands, drop_command
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.names import first, listed
from csf_backup_plugin.operations.restore.state_after_failure import described_states
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place

    from csf_backup_plugin.operations.restore.state_after_failure import State

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

MANY = 200
SHORT = 6000  # characters of a readable message; each path has 80 or more


def backup(place: Place, *options: str) -> tuple[str, ...]:
    """Return the command line that backs `place` up."""
    image = f"localhost:{place.image}"
    return ("admin_database_backup", "-database", place.master, "-image-file", image, *options)


def fill(place: Place, suffix: str = "db") -> list[str]:
    """Make many files in the repository; return their paths."""
    names = [f"N{number:04} it's.{suffix}" for number in range(MANY)]
    for name in names:
        (place.repository / name).touch()
    return [str(place.repository / name) for name in names]


def named(text: str, paths: list[str]) -> int:
    """Return how many of the paths are in a text."""
    return sum(path in text for path in paths)


def test_a_backup_tells_the_first_of_what_is_new_and_of_what_it_leaves_out(
    csf: Csf, place: Place
) -> None:
    """The document has all of them as lists."""
    assert csf("admin_database_manifest", "-database", place.master, "-rebuild")[0] == 0
    new, other = fill(place), fill(place, "DB")
    code, _, err = csf(*backup(place, "-dry-run"))
    assert (code, named(err, new), named(err, other)) == (0, 10, 10)
    assert err.count("and 190 more (-json lists them all)") == 2
    assert len(err) < SHORT
    document = json.loads(csf(*backup(place, "-dry-run", "-json"))[1])
    assert document["not_in_manifest"] == new
    assert document["left_out"] == other


def test_differences_are_reported_by_the_first_of_each_kind(csf: Csf, place: Place) -> None:
    """They may be in the manifest and not on disk, or the reverse."""
    manifest = ("admin_database_manifest", "-database", place.master)
    gone = fill(place)
    assert csf(*manifest, "-rebuild")[0] == 0
    for path in gone:
        os.unlink(path)
    new = [path.replace("/N", "/M") for path in gone]
    for path in new:
        open(path, "w").close()
    code, _, err = csf(*manifest)
    assert (code, named(err, gone), named(err, new)) == (ExitCode.REPOSITORY_INCOMPLETE, 10, 10)
    assert err.count("and 190 more (-json lists them all)") == 2
    assert len(err) < SHORT
    document = json.loads(csf(*manifest, "-json")[1])
    assert document["differences"]["in the manifest and not on disk"] == gone
    code, _, err = csf(*manifest, "-rebuild")
    assert (code, named(err, gone), named(err, new)) == (0, 10, 10)
    assert "200 added, 200 dropped" in err
    assert len(err) < SHORT


def test_extra_databases_are_reported_by_the_first(csf: Csf, place: Place) -> None:
    """Refusal, dry run and restore do so; the command to type is short."""
    assert csf(*backup(place))[0] == 0
    extra = fill(place)
    restore = ("admin_database_restore", *backup(place)[1:])
    for options in (("-yes",), ("-dry-run",)):
        code, _, err = csf(*restore, *options)
        assert code == ExitCode.EXTRA_DATABASES
        assert named(err, extra) == 10
        assert "(200) that are not in" in err
        assert len(err) < SHORT
        assert "mv -n" not in err
    assert json.loads(csf(*restore, "-yes", "-json")[1])["extra"] == extra
    code, _, err = csf(*restore, "-yes", "-quarantine")
    assert (code, named(err, extra), len(err) < SHORT) == (0, 10, True)


def test_findings_and_states_are_reported_by_the_first_of_each_kind() -> None:
    """The document has all of them."""
    findings = [f"/r/{number} is missing" for number in range(MANY)]
    error = FaultFound("It is not as it was:", "Do this.", findings)
    assert error.what.splitlines()[-1] == "  and 190 more (-json lists them all)"
    assert (len(error.what.splitlines()), error.facts["findings"]) == (12, findings)
    states: dict[str, State] = {f"/r/{number}": "gone" for number in range(MANY)}
    text = described_states({**states, "/r/x": "new"})
    assert len(text.splitlines()) == 13
    assert text.endswith("    gone: and 190 more (-json lists them all)\n    new: /r/x")


def test_ten_are_few() -> None:
    """All of them are named."""
    names = [f"/r/{number}" for number in range(10)]
    assert first(names) == names
    assert listed(names) == ", ".join(names)
    assert listed([*names, "/r/x"], ", see there").endswith("/r/9 and 1 more, see there")


def test_the_command_for_many_reads_them_from_a_file(
    csf: Csf, place: Place, tmp_path: Path
) -> None:
    """Only the file's name is replaced."""
    manifest = ("admin_database_manifest", "-database", place.master)
    repository, far = Repository(place.master), tmp_path / "far"
    far.mkdir()
    paths = [str(far / f"F{number:04} it's.db") for number in range(3 * MANY)]
    for path in paths:
        open(path, "w").close()
    assert csf(*manifest, "-rebuild")[0] == 0
    (tmp_path / "FILE").write_text("".join(f"{path}\n" for path in paths))
    (tmp_path / "csf").write_text(
        f"#!{sys.executable}\nimport click; from csf_backup_plugin import plugin\n"
        "csf = click.Group('csf'); plugin.register_commands(csf); csf()\n"
    )
    (tmp_path / "csf").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for made, there in ((add_command, paths), (drop_command, [])):
        typed, where = made(repository.master, "localhost", paths).split("\n")
        subprocess.run(typed, shell=True, check=True, cwd=tmp_path, env=environment)
        assert "the paths of all 600, one a line; -json lists them" in where
        on_disk = json.loads(csf(*manifest, "-json")[1])["on_disk"]
        assert [path for path in on_disk if path in {*paths}] == there


def test_a_copy_drops_many_before_it_is_called_one() -> None:
    """One command line could not name them all."""
    repository, paths = Repository("/r/lib.db"), [f"/r/{number}.db" for number in range(11)]
    drop, where, copied = drop_and_copied_commands(repository.master, "db1", paths).split("\n")
    assert drop.startswith("sed 's/^/-drop\\n/' FILE | xargs ")
    assert where.startswith("  where FILE has the paths of all 11")
    assert copied.startswith("and then: csf ")
    assert copied.endswith(" -rebuild -copied")
    assert drop_and_copied_commands(repository.master, "db1", paths[:1]).endswith(
        "-copied -drop /r/0.db"
    )
