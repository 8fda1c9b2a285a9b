"""After each attempt there is a page for node_exporter, one for each repository."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from ledgers import Book
from prometheus_client.parser import text_string_to_metric_families

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]
    Pages = Callable[[], dict[tuple[str, str], float]]

pytestmark = pytest.mark.usefixtures("tools")

CODE, SUCCESS = "last_attempt_exit_code", "last_success_timestamp_seconds"


@pytest.fixture
def metrics(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the test's pages."""
    assert book
    directory = tmp_path / "metrics"
    directory.mkdir()
    monkeypatch.setenv("CSF_BACKUP_METRICS_DIR", str(directory))
    return directory


def backup(place: Place) -> list[str]:
    """Return the command line that backs `place` up."""
    image = f"localhost:{place.image}"
    return ["admin_database_backup", "-database", place.master, "-image-file", image]


def samples(metrics: Path) -> dict[tuple[str, str], float]:
    """Return the samples of all pages, by name and operation; check that none comes twice."""
    told: dict[tuple[str, str], float] = {}
    seen: list[tuple[str, dict[str, str]]] = []
    for page in metrics.glob("*.prom"):
        assert stat.S_IMODE(page.stat().st_mode) == 0o644
        for family in text_string_to_metric_families(page.read_text()):
            for sample in family.samples:
                assert (sample.name, sample.labels) not in seen
                seen.append((sample.name, sample.labels))
                if "driver" in sample.labels:
                    name = sample.name.removeprefix("csf_backup_")
                    told[name, sample.labels["operation"]] = sample.value
    return told


def test_a_refused_attempt_shows_at_once(csf: Csf, place: Place, metrics: Path) -> None:
    """The success before it stays on the page; a dry run changes nothing."""
    assert csf(*backup(place), "-dry-run")[0] == 0
    assert samples(metrics) == {}
    assert csf(*backup(place))[0] == 0
    first = samples(metrics)
    assert (first[CODE, "backup"], len(list(metrics.iterdir()))) == (0.0, 1)
    assert csf(*backup(place))[0] == ExitCode.IMAGE_EXISTS
    second = samples(metrics)
    assert second[CODE, "backup"] == ExitCode.IMAGE_EXISTS
    assert second[SUCCESS, "backup"] == first[SUCCESS, "backup"]
    assert len(list(metrics.iterdir())) == 1


def test_each_operation_of_a_repository_is_distinguished(
    csf: Csf, place: Place, metrics: Path
) -> None:
    """A damaged image is not a failed backup."""
    assert csf(*backup(place))[0] == 0
    with open(place.image, "ab") as image:
        image.write(b"x")
    assert csf("admin_database_verify", "-image-file", f"localhost:{place.image}")[0] == 50
    told = samples(metrics)
    assert (told[CODE, "backup"], told[CODE, "verify"]) == (0.0, 50.0)
    assert (SUCCESS, "verify") not in told


def labels(metrics: Path) -> list[dict[str, str]]:
    """Return the labels of each exit code on all pages."""
    return [
        sample.labels
        for page in sorted(metrics.glob("*.prom"))
        for family in text_string_to_metric_families(page.read_text())
        for sample in family.samples
        if sample.name.endswith(CODE)
    ]


def test_a_page_names_the_master_database_and_the_host(
    csf: Csf, place: Place, metrics: Path
) -> None:
    """A status uses the same labels, so that one failure is one alert."""
    assert csf(*backup(place))[0] == 0
    (told,) = labels(metrics)
    assert (told["master"], told["host"]) == (place.master, "localhost")
    assert "target" not in told


def test_verifications_of_two_directories_are_distinguished(
    csf: Csf, place: Place, metrics: Path, tmp_path: Path
) -> None:
    """They name no repository; a collector refuses two samples with the same name and labels."""
    (tmp_path / "empty").mkdir()
    assert csf(*backup(place))[0] == 0
    for directory, code in ((place.images, 0), (tmp_path / "empty", 50)):
        ended = csf("admin_database_verify", "-image-dir", f"localhost:{directory}")
        assert ended[0] == code, ended
    assert samples(metrics)
    targets = {one["target"] for one in labels(metrics) if one["operation"] == "verify"}
    assert targets == {f"localhost:{place.images}", f"localhost:{tmp_path}/empty"}


def test_what_was_refused_before_the_id_was_known_is_replaced(
    csf: Csf, place: Place, metrics: Path
) -> None:
    """A page under another name would report that failure for ever."""
    assert csf(*backup(place), "-timeout", "soon")[0] == ExitCode.USAGE
    assert samples(metrics) == {
        (CODE, "backup"): 2.0,
        ("last_attempt_timestamp_seconds", "backup"): pytest.approx(0, abs=1e12),
    }
    assert csf(*backup(place))[0] == 0
    assert samples(metrics)[CODE, "backup"] == 0.0
    assert len(list(metrics.iterdir())) == 1


def test_an_attempt_that_names_no_repository_has_no_page(
    csf: Csf, metrics: Path, book: Book
) -> None:
    """The command line may name none."""
    assert csf("admin_database_backup")[0] == ExitCode.USAGE
    assert [one.exit_code for one in book.read().attempts] == [ExitCode.USAGE]
    assert [*metrics.iterdir()] == []


def test_a_killed_attempt_is_reported_by_the_next_one(
    csf: Csf, place: Place, metrics: Path, book: Book
) -> None:
    """Another repository's attempt reports it, too; its status is that of a killed program."""
    assert csf(*backup(place))[0] == 0
    killed = {"command": "admin_database_rotate", "database": place.master}
    book.killed(host="localhost", image=None, **killed)
    assert csf("admin_database_verify", "-image-file", "localhost:/no/such.img")[0] != 0
    told = samples(metrics)
    assert (told[CODE, "rotate"], told[CODE, "backup"]) == (137.0, 0.0)
    assert len(list(metrics.iterdir())) == 2


def test_a_status_may_be_written_beside_the_pages(csf: Csf, place: Place, metrics: Path) -> None:
    """A collector refuses two samples with the same name and labels."""
    assert csf(*backup(place))[0] == 0
    line = ["admin_database_status", "-image-dir", f"localhost:{place.images}"]
    line += ["-format", "prometheus", "-output", str(metrics / "status.prom")]
    assert csf(*line)[0] == 0
    assert (metrics / "status.prom").exists()
    assert samples(metrics)[CODE, "backup"] == 0.0


def test_without_a_ledger_the_page_tells_of_this_attempt(
    csf: Csf, place: Place, metrics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is known."""
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", "/dev/null/state")
    code, _, err = csf(*backup(place))
    assert (code, err.count("warning: the ledger")) == (0, 1)
    assert samples(metrics)[CODE, "backup"] == 0.0


@pytest.mark.parametrize("directory", ["relative", "/dev/null/metrics"])
def test_a_page_that_cannot_be_written_is_a_warning(
    csf: Csf, place: Place, book: Book, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """The backup is made, and the ledger records it."""
    monkeypatch.setenv("CSF_BACKUP_METRICS_DIR", directory)
    code, _, err = csf(*backup(place))
    assert code == 0
    assert err.count("warning: the metrics of this attempt cannot be written: ") == 1
    assert directory in err
    assert [one.outcome for one in book.read().attempts] == ["done"]
    assert not os.path.exists("relative")
