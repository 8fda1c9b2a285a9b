"""Problems of an inherited environment are corrected while a command runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cli import inherited

if TYPE_CHECKING:
    from pathlib import Path

DESCRIPTORS = """
import os
from csf_backup_plugin.cli import inherited
with inherited.put_right(), open("file", "w") as file:
    file.write("\\n".join(os.readlink(f"/proc/self/fd/{n}") for n in range(3)))
    assert file.fileno() > 2
"""


@pytest.mark.measured
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_standard_descriptors_that_are_closed_are_opened(tmp_path: Path, closed: str) -> None:
    """No file of ours gets the descriptor of a standard stream."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", DESCRIPTORS]
    subprocess.run(command, cwd=tmp_path, check=True)
    names = (tmp_path / "file").read_text().splitlines()
    numbers = [("<&-", ">&-", "2>&-").index(word) for word in closed.split()]
    assert [names[number] for number in numbers] == [os.devnull] * len(numbers)


def test_a_working_directory_that_is_gone_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An existing one is kept."""
    monkeypatch.chdir(tmp_path)
    with inherited.put_right():
        assert os.getcwd() == str(tmp_path)
    (tmp_path / "gone").mkdir()
    os.chdir("gone")
    os.rmdir("../gone")
    with inherited.put_right():
        assert os.getcwd() == "/"


@pytest.mark.parametrize(("mask", "meanwhile"), [(0o777, 0o077), (0o027, 0o027), (0, 0)])
def test_a_files_owner_may_use_it_whatever_the_umask_is(mask: int, meanwhile: int) -> None:
    """The old umask is restored afterwards."""
    before = os.umask(mask)
    try:
        with inherited.put_right():
            assert os.umask(meanwhile) == meanwhile
    finally:
        assert os.umask(before) == mask
