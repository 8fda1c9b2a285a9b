"""A backup's request is checked before anything is changed."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import UnsafeImagePath, UsageError
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.lock_wait import lock_wait
from csf_backup_plugin.operations.request import check_one_of
from csf_backup_plugin.repository.model import Repository


def test_a_request_is_made_of_what_the_user_wrote() -> None:
    """-database and -image-file are enough."""
    request = BackupRequest.parse("/r//lib.db", "localhost:/b/a.img")
    assert request == BackupRequest(Repository("/r/lib.db"), ImagePath("localhost", "/b/a.img"))


@pytest.mark.parametrize("master", ["", "lib.db", "/r/", "host:/r/lib.db", "/r/a\nb"])
def test_a_master_that_is_no_absolute_path_is_refused(master: str) -> None:
    """The message names the option."""
    with pytest.raises(UsageError, match="-database"):
        BackupRequest.parse(master, "localhost:/b/a.img")


def test_a_masters_name_must_leave_room_for_the_files_beside_it() -> None:
    """The mark of an unfinished restore has the longest name."""
    BackupRequest.parse("/r/" + "é" * 118, "localhost:/b/a.img")
    with pytest.raises(UsageError, match="too long a name, with the .unfinished-restore"):
        BackupRequest.parse("/r/" + "é" * 118 + "x", "localhost:/b/a.img")


@pytest.mark.parametrize(("text", "seconds"), [(None, 30.0), ("", 30.0), ("0", 0.0), ("1.5", 1.5)])
def test_the_environment_may_say_how_long_to_wait(text: str | None, seconds: float) -> None:
    """An unset or empty variable means the default; the command line comes first."""
    environ = {} if text is None else {"CSF_BACKUP_LOCK_WAIT": text}
    assert lock_wait(environ) == seconds
    assert lock_wait(environ, 0.5) == 0.5


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(text: str) -> None:
    """An error in a crontab is reported, and the default is not used."""
    with pytest.raises(UsageError, match=f"CSF_BACKUP_LOCK_WAIT={text}"):
        lock_wait({"CSF_BACKUP_LOCK_WAIT": text})


def test_osbackup_gets_four_times_what_4_gigabytes_an_hour_take() -> None:
    """The minimum is ten minutes."""
    assert default_timeout(0) == 600
    assert default_timeout(4 * 10**9) == pytest.approx(4 * 3600)


def test_an_image_or_a_directory_of_images_is_named() -> None:
    """Both together are refused."""
    check_one_of("h:/b/a.img", None, "x")
    check_one_of(None, "h:/b", "x")
    with pytest.raises(UsageError, match="Missing option -image-file or -image-dir"):
        check_one_of(None, None, "x")
    with pytest.raises(UsageError, match="only one of the two can be") as caught:
        check_one_of("h:/b/a.img", "h:/b", "x")
    assert "See csf x -help." in caught.value.next_step


def test_an_image_to_make_is_not_called_latest() -> None:
    """The name stands for the newest existing image."""
    with pytest.raises(UnsafeImagePath, match="h:/b/latest means the newest"):
        BackupRequest.parse("/r/lib.db", "h:/b/latest")
