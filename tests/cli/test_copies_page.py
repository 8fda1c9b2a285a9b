"""Every command that docs/copies.md shows is run, in order."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
from documents import DOCS
from rotating import receipts_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place, Tools

    Csf = Callable[..., tuple[int, str, str]]

PAGE = (DOCS / "copies.md").read_text()
NAME = "lib-2026-11-30-021000.img"


def commands(text: str) -> list[list[str]]:
    """Return the words of each command on a page, with those of the crontab's line."""
    lines = re.findall(r"^ {4}(?:\$ (csf .*)|[\d*]+ [\d*]+ \* \* \* (.*))$", text, re.MULTILINE)
    typed = [one for line in lines for one in "".join(line).split(" && ")]
    return [shlex.split(one)[1:] for one in typed]


@pytest.mark.usefixtures("tools")
def test_every_command_of_the_page_does_what_it_says(
    csf: Csf, place: Place, tmp_path: Path, tools: Tools
) -> None:
    """The test uses other directories, and one host."""
    tools.write("osverifydb", "exit 0")
    for name in ("copies", "standby", "tmp"):
        (tmp_path / name).mkdir()
    rotated = ("-database", place.master, "-image-dir", f"localhost:{place.images}")
    assert csf("admin_database_rotate", *rotated)[0] == 0
    shown = commands(PAGE)
    assert len(shown) == 8
    for words in shown:
        (newest, *_) = sorted(receipts_in(tmp_path / "copies"))[-1:] or [NAME]
        typed = " ".join(words).replace(f"/copies/{NAME}", newest)
        for at, path in {
            r"/databases/": f"{place.repository}/",
            r"/backup[s1]": str(place.images),
            r"(?<!\w)/standby": f"{tmp_path}/standby",
            r"/var/tmp": f"{tmp_path}/tmp",
            r":/copies": f":{tmp_path}/copies",
            r"db2:": "localhost:",
        }.items():
            typed = re.sub(at, path, typed)
        yes = ["-yes"] * (words[0] == "admin_database_restore")
        code, _, err = csf(*typed.split(), *yes)
        # Nothing was drilled yet, and a disk may have little room.
        assert code in ((0, 70) if words[0] == "admin_database_status" else (0,)), err
    assert (tmp_path / "standby" / "lib.db").read_bytes() == b"lib.db" * 100
