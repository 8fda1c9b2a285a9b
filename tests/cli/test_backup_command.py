"""admin_database_backup as csf runs it: exit codes, sentences, JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click
import pluggy
import pytest

from csf_backup_plugin import plugin
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")


def backup(place: Place, *options: str) -> tuple[str, ...]:
    """Return the command line that backs `place` up."""
    image = f"localhost:{place.image}"
    return ("admin_database_backup", "-database", place.master, "-image-file", image, *options)


@pytest.fixture(autouse=True)
def _two_disks(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    """Put images and databases on two disks, so that there is no warning."""
    from csf_backup_plugin.hosts.local.host import LocalHost

    look = LocalHost.look

    def apart(host: LocalHost, paths: Any) -> Any:
        return [
            facts._replace(device=-2, disks=frozenset(["sdz"]), vital=frozenset(["sdz"]))
            if facts.resolved.startswith(str(place.images))
            else facts._replace(disks=frozenset(["sda"]), vital=frozenset(["sda"]))
            for facts in look(host, paths)
        ]

    monkeypatch.setattr(LocalHost, "look", apart)


def test_a_successful_run_says_one_line(csf: Csf, place: Place) -> None:
    """The line is on standard error, since there is no data to print."""
    code, out, err = csf(*backup(place))
    assert (code, out) == (0, "")
    (line,) = err.splitlines()
    assert line.startswith(f"Backed up 2 databases (1.3 kB) of {place.master} to localhost:")
    assert "proven, SHA-256 " in line
    assert line.endswith(", backup 1 (shared physical disk: no)")


def test_an_image_without_a_number_is_called_so(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an image is never the newest."""
    from csf_backup_plugin.hosts.local.host import LocalHost

    publish = LocalHost.publish

    def full(host: LocalHost, path: str, data: bytes, like: str | None = None) -> None:
        if path.endswith(".manifest"):
            raise OSError(28, "No space left on device", path)
        publish(host, path, data, like)

    monkeypatch.setattr(LocalHost, "publish", full)
    code, _, err = csf(*backup(place))
    assert code == 0
    assert err.splitlines()[-1].endswith(", without a number (shared physical disk: no)")
    assert csf(*backup(place, "-strict"))[0] == ExitCode.IMAGE_EXISTS


def test_require_mount_is_a_refusal(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given if the image's directory is on the file system of the root directory."""
    from csf_backup_plugin.hosts.local.host import LocalHost

    look = LocalHost.look
    monkeypatch.setattr(
        LocalHost,
        "look",
        lambda host, paths: [facts._replace(device=1) for facts in look(host, paths)],
    )
    code, _, err = csf(*backup(place, "-require-mount"))
    assert (code, "-require-mount says" in err) == (ExitCode.UNSAFE_IMAGE_PATH, True)
    assert not os.path.exists(f"{place.image}.dbn")
    assert csf(*backup(place))[0] == ExitCode.DONE


def test_a_single_database_is_not_called_databases(csf: Csf, place: Place) -> None:
    """The line is for people."""
    (place.repository / "Book.db").unlink()
    assert "Backed up 1 database (600 bytes) of" in csf(*backup(place))[2]


def test_without_a_checksum_the_line_says_so(csf: Csf, place: Place) -> None:
    """Nobody should believe that there is one."""
    assert "no checksum" in csf(*backup(place, "-no-checksum"))[2]
    with open(f"{place.image}.receipt.json") as file:
        assert json.load(file)["image_sha256"] is None


def test_json_is_one_document_on_stdout(csf: Csf, place: Place) -> None:
    """Nothing else is printed."""
    code, out, err = csf(*backup(place, "-json"))
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert document["schema"] == "csf-backup/outcome/1"
    assert document["command"] == "admin_database_backup"
    assert document["exit_code"] == 0
    assert document["image"] == place.image
    assert document["image_bytes"] == os.path.getsize(place.image)
    assert set(document["databases"]) == {place.master, f"{place.repository}/Book.db"}
    assert document["warnings"] == []
    assert document["number"] == 1
    with open(document["receipt"]) as file:
        assert document["repository_id"] == json.load(file)["repository_id"] is not None


def test_a_failure_is_reported_in_three_parts(csf: Csf, place: Place, tools: Tools) -> None:
    """The parts are: what happened where, what was left, what to do; -json prints them, too."""
    tools.write("osbackup", "echo bad luck; exit 7")
    code, out, err = csf(*backup(place, "-json"))
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.OSBACKUP_FAILED
    assert "bad luck" in document["error"]
    assert err == "Error: {error}\n{left}\n{next_step}\n".format(**document)


def test_a_dry_run_shows_the_command_it_would_run(csf: Csf, place: Place, tools: Tools) -> None:
    """With -json it is in the document."""
    code, out, err = csf(*backup(place, "-dry-run"))
    assert (code, out) == (0, "")
    assert f"osbackup -a -I {place.image}.dbn -f {place.image}" in err
    document = json.loads(csf(*backup(place, "-dry-run", "-json"))[1])
    assert (document["dry_run"], document["image_sha256"]) == (True, None)
    assert tools.calls == []


@pytest.mark.parametrize(
    ("options", "code"), [((), 0), (("-strict",), 3), (("-strict", "-dry-run"), 3)]
)
def test_warnings_are_lines_of_their_own_and_count_under_strict(
    csf: Csf, place: Place, options: tuple[str, ...], code: int
) -> None:
    """The backup is made and kept nevertheless."""
    (place.repository / "old.db").mkdir()
    found, _, err = csf(*backup(place, *options))
    assert found == code
    assert err.splitlines()[0].startswith(f"warning: {place.repository}/old.db")
    assert os.path.exists(place.image) == ("-dry-run" not in options)


def test_without_warnings_strict_changes_nothing(csf: Csf, place: Place) -> None:
    """The exit code is 0 without warnings."""
    assert csf(*backup(place, "-strict"))[0] == ExitCode.DONE


def test_the_lock_wait_is_taken_from_the_environment_or_the_option(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option comes first; an invalid value in the environment is a usage error."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "soon")
    assert csf(*backup(place))[0] == ExitCode.USAGE
    assert csf(*backup(place, "-wait", "0"))[0] == ExitCode.DONE


def test_a_usage_error_of_ours_exits_as_clicks_does(csf: Csf, place: Place) -> None:
    """The exit code is 2, and the message has an example."""
    place.image = "not/absolute"
    code, _, err = csf(*backup(place))
    assert code == ExitCode.USAGE
    assert "localhost:/backups/monday.img" in err


@pytest.mark.parametrize("exists", [False, True])
def test_nobody_to_hear_it_changes_no_exit_code(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    """If the mail system's disk is full, backups and refusals keep their exit codes."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if exists:
        with open(place.image, "w"):
            pass
    monkeypatch.setattr(click, "echo", full)
    assert csf(*backup(place))[0] == (ExitCode.IMAGE_EXISTS if exists else ExitCode.DONE)
    assert csf(*backup(place, "-json"))[0] == ExitCode.IMAGE_EXISTS


@pytest.mark.parametrize("option", ["-wait", "-timeout"])
@pytest.mark.parametrize("text", ["nan", "inf", "-1", "soon", "1e400"])
def test_seconds_are_a_number_that_ends(csf: Csf, place: Place, option: str, text: str) -> None:
    """A wait without end would be worse than a refusal."""
    assert csf(*backup(place, f"{option}={text}"))[0] == ExitCode.USAGE


def test_help_lists_every_exit_code(csf: Csf) -> None:
    """They come from the one table."""
    code, out, _ = csf("admin_database_backup", "-help")
    assert code == 0
    for member in ExitCode:
        assert f"{member.value:>3}  {member.meaning}" in out


class Broken:
    """A csf whose own class_create fails with an error of the system."""

    @pluggy.HookimplMarker("csf")
    def class_create(self) -> str:
        raise OSError("csf's own")


def test_around_class_create_our_refusals_have_our_exit_codes(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are click exceptions, with which any csf ends; csf's own errors pass unchanged."""
    from csf_backup_plugin.hosts.local.host import LocalHost

    pm = pluggy.PluginManager("csf")
    pm.register(plugin)
    pm.register(Broken())
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "0")
    with LocalHost().lock(f"{place.master}.lock", "admin_database_backup", 0, print):
        with pytest.raises(click.ClickException) as caught:
            pm.hook.class_create(master_database=place.master, class_name="New")
        assert caught.value.exit_code == ExitCode.LOCK_BUSY
        caught.value.show()
    assert "csf admin_database_backup (process" in capsys.readouterr().err
    with pytest.raises(OSError, match="csf's own"):
        pm.hook.class_create(master_database=place.master, class_name="New")


def test_a_database_that_cannot_be_recorded_is_a_warning_on_standard_error(
    place: Place, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """class_create has succeeded."""
    (place.repository / "lib.db.manifest").mkdir()
    wrapper = plugin.class_create(place.master)
    next(wrapper)
    with pytest.raises(StopIteration):
        wrapper.send(f"{tmp_path}/New.db")
    assert capsys.readouterr().err.startswith("warning: ")
