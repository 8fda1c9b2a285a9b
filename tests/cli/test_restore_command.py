"""admin_database_restore as csf runs it: exit codes, sentences, JSON, the question."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cli import confirmation
from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("backed_up")


@pytest.fixture
def backed_up(csf: Csf, place: Place, tools: Tools) -> None:
    """Back the repository up."""
    assert tools
    image = f"localhost:{place.image}"
    assert csf("admin_database_backup", "-database", place.master, "-image-file", image)[0] == 0


def command(place: Place, *options: str) -> tuple[str, ...]:
    """Return the command line that restores `place`."""
    image = f"localhost:{place.image}"
    return ("admin_database_restore", "-database", place.master, "-image-file", image, *options)


def test_plan_and_outcome_are_reported(csf: Csf, place: Place) -> None:
    """They are on standard error, since there is no data to print."""
    (place.repository / "Book.db").unlink()
    (place.repository / "New.db").touch()
    code, out, err = csf(*command(place, "-yes", "-quarantine"))
    assert (code, out) == (0, "")
    first, lost, absent, extra, going, done, moved, undo = err.splitlines()
    assert first.startswith(f"To be restored: 2 databases (1.3 kB) of {place.master} from localho")
    assert first.endswith(" (0 h 0 min ago).")
    assert lost == (f"  overwritten, so work since then is lost: 1 database: {place.master}")
    assert absent == f"  not on disk now: 1 database: {place.repository}/Book.db"
    assert extra.endswith(f"they are moved to quarantine: 1 database: {place.repository}/New.db")
    assert done.startswith(f"Restored 2 databases (1.3 kB) of {place.master} from localhost:")
    assert going.startswith(f"extra databases go to {place.repository}.quarantine-")
    assert moved.startswith("1 database that the image does not hold: moved to ")
    assert undo.startswith("and then: csf admin_database_manifest")
    assert undo.endswith(f"-database {place.master} -host localhost -rebuild")


def test_on_a_new_disk_no_work_is_said_to_be_lost(csf: Csf, place: Place) -> None:
    """There is no work that could be lost."""
    for path in place.repository.iterdir():
        path.unlink()
    code, _, err = csf(*command(place, "-yes"))
    assert (code, "overwritten" in err, "not on disk now: 2 databases" in err) == (0, False, True)


def test_the_undo_of_the_quarantine_undoes_it(csf: Csf, place: Place) -> None:
    """The printed commands are run, up to csf's own."""
    (place.repository / "it's New.db").write_bytes(b"new")
    undo = csf(*command(place, "-yes", "-quarantine"))[2].splitlines()[-2]
    assert not (place.repository / "it's New.db").exists()
    assert os.system(undo.partition(", on localhost: ")[2]) == 0
    assert (place.repository / "it's New.db").read_bytes() == b"new"
    assert not list(place.repository.parent.glob("*quarantine*"))


def test_json_is_one_document_on_stdout(csf: Csf, place: Place) -> None:
    """The only other output is the quarantine of the extra databases."""
    (place.repository / "New.db").touch()
    code, out, err = csf(*command(place, "-yes", "-quarantine", "-json"))
    document = json.loads(out)
    assert (code, err) == (0, f"extra databases go to {document['quarantine']}\n")
    assert (document["command"], document["exit_code"]) == ("admin_database_restore", 0)
    assert list(document["databases"].items()) == [
        (place.master, 600),
        (f"{place.repository}/Book.db", 700),
    ]
    assert document["overwritten"] == list(document["databases"])
    assert document["extra"] == [f"{place.repository}/New.db"]
    assert os.listdir(document["quarantine"]) == ["New.db"]
    with open(f"{place.image}.receipt.json") as file:
        assert document["repository_id"] == json.load(file)["repository_id"]
    assert document["number"] == 1


def reseal(place: Place, **changes: object) -> None:
    """Change facts in the receipt, and seal it again."""
    from csf_backup_plugin.image import sealed_json

    path = f"{place.image}.receipt.json"
    with open(path, "rb") as file:
        facts = sealed_json.decode(file.read())
    with open(path, "wb") as file:
        file.write(sealed_json.encode({**facts, **changes}))


def test_a_disk_that_is_not_mounted_is_a_refusal_that_may_be_overridden(
    csf: Csf, place: Place
) -> None:
    """The message names the option."""
    reseal(place, mounts={str(place.repository): str(place.repository)})
    code, _, err = csf(*command(place, "-yes"))
    assert (code, "add -accept-unmounted" in err) == (ExitCode.UNSAFE_IMAGE_PATH, True)
    assert csf(*command(place, "-yes", "-accept-unmounted"))[0] == ExitCode.DONE


def test_require_mount_is_a_refusal(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given if the repository's directory is on the file system of the root directory."""
    from csf_backup_plugin.hosts.local.host import LocalHost

    look = LocalHost.look
    monkeypatch.setattr(
        LocalHost,
        "look",
        lambda host, paths: [facts._replace(device=1) for facts in look(host, paths)],
    )
    code, _, err = csf(*command(place, "-yes", "-require-mount"))
    assert (code, "-require-mount says" in err) == (ExitCode.UNSAFE_IMAGE_PATH, True)
    assert csf(*command(place, "-yes"))[0] == ExitCode.DONE


def test_with_yes_the_latest_from_the_future_is_refused(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a terminal, the plan says so, and a person decides."""
    reseal(place, started="2126-01-01T00:00:00+00:00")
    place.image = str(place.images / "latest")
    code, _, err = csf(*command(place, "-yes"))
    assert (code, "which is in the future" in err) == (ExitCode.FAULT_FOUND, True)
    monkeypatch.setattr(confirmation, "on_a_terminal", lambda: True)
    monkeypatch.setattr(confirmation, "typed", lambda *_: True)
    code, _, err = csf(*command(place))
    assert (code, "which is in the future: the host's clock says" in err) == (0, True)


def test_a_refusal_is_a_document_too(csf: Csf, place: Place) -> None:
    """It has the extra databases as a list."""
    (place.repository / "New.db").touch()
    code, out, err = csf(*command(place, "-yes", "-json"))
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.EXTRA_DATABASES
    assert document["extra"] == [f"{place.repository}/New.db"]
    assert err == "Error: {error}\n{left}\n{next_step}\n".format(**document)


def test_a_failure_has_the_state_of_every_database(csf: Csf, place: Place, tools: Tools) -> None:
    """It is in the document and in the message."""
    tools.write("osrestore", '[ "$1" != -t ] || exec tar -tPf "$3"\nexit 3')
    code, out, _ = csf(*command(place, "-yes", "-json"))
    document = json.loads(out)
    assert code == document["exit_code"] == ExitCode.OSRESTORE_FAILED
    assert set(document["databases"].values()) == {"unchanged"}
    assert document["quarantine"] is None


def test_a_dry_run_shows_the_plan_and_ends_as_the_real_run_would(csf: Csf, place: Place) -> None:
    """It needs no -yes, and changes nothing."""
    before = place.tree()
    code, _, err = csf(*command(place, "-dry-run"))
    assert code == 0
    assert f"osrestore -f {place.image}\n" in err
    (place.repository / "New.db").touch()
    code, _, err = csf(*command(place, "-dry-run"))
    assert code == ExitCode.EXTRA_DATABASES
    assert "It would be refused. " in err
    assert " -quarantine\n" in err
    code, _, err = csf(*command(place, "-dry-run", "-quarantine"))
    assert (code, "Quarantine would be a directory such as" in err) == (0, True)
    document = json.loads(csf(*command(place, "-dry-run", "-json"))[1])
    assert (document["exit_code"], document["quarantine"]) == (60, None)
    (place.repository / "New.db").unlink()
    assert place.tree() == before


def test_a_plan_says_of_what_and_where_to(csf: Csf, place: Place) -> None:
    """This matters if the repository is restored elsewhere."""
    other = place.images / "other"
    other.mkdir()
    image = f"localhost:{place.image}"
    master = ("-database", str(other / "lib.db"), "-into", str(other))
    code, _, err = csf("admin_database_restore", *master, "-image-file", image, "-dry-run")
    assert (code, f"made of {place.master}, and restored into {other}\n" in err) == (0, True)


def test_without_a_terminal_yes_is_needed(csf: Csf, place: Place) -> None:
    """The host is not even examined."""
    before = place.tree()
    code, _, err = csf(*command(place))
    assert (code, "no terminal to ask" in err) == (ExitCode.USAGE, True)
    assert place.tree() == before


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 1)])
def test_on_a_terminal_the_name_must_be_typed(
    csf: Csf, place: Place, monkeypatch: pytest.MonkeyPatch, *, answer: bool, code: int
) -> None:
    """With any other answer, nothing is changed."""
    asked = []

    def typed(wanted: str, *_: object) -> bool:
        asked.append(wanted)
        return answer

    (place.repository / "lib.db").write_bytes(b"later")
    monkeypatch.setattr(confirmation, "on_a_terminal", lambda: True)
    monkeypatch.setattr(confirmation, "typed", typed)
    found, _, err = csf(*command(place))
    assert (found, asked) == (code, ["lib.db"])
    assert err.startswith("To be restored: ")
    assert ((place.repository / "lib.db").read_bytes() == b"later") is not answer


def test_a_long_plan_is_shortened(csf: Csf, place: Place, tmp_path: Path) -> None:
    """It has numbers and the first names, and says where all of them are."""
    for number in range(30):
        (place.repository / f"C{number:02}.db").touch()
    image = f"localhost:{tmp_path}/images/b.img"
    assert csf("admin_database_backup", "-database", place.master, "-image-file", image)[0] == 0
    place.image = f"{tmp_path}/images/b.img"
    for number in range(20):
        (place.repository / f"New{number:02}.db").touch()
    err = csf(*command(place, "-yes", "-quarantine"))[2]
    assert "32 databases: " in err
    assert " and 22 more (-json lists them all)\n" in err
    assert all(f"New{number:02}.db" in err for number in range(10))
    assert "New09.db and 10 more (-json lists them all)\n" in err


@pytest.mark.parametrize(
    ("started", "said"),
    [
        ("2026-01-01T00:00:00+00:00", " d "),
        ("2126-01-01T00:00:00+00:00", "(in the future, by this clock)"),
    ],
)
def test_how_long_ago_the_backup_was_is_reported(
    csf: Csf, place: Place, started: str, said: str
) -> None:
    """A wrong clock is noticed by it."""
    reseal(place, started=started)
    (line,) = csf(*command(place, "-dry-run"))[2].splitlines()[:1]
    assert said in line.partition(" as they were at ")[2]
