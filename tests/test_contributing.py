"""The examples in docs/contributing.md work as shown, in copies of this tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from documents import DOCS, ROOT

SHOWN = re.compile(
    r"<!-- (file|into|imports): (\S+) -->\n *```\w+\n(.*?)^ *```$", re.MULTILINE | re.DOTALL
)
COPIED = ("csf_backup_plugin", "tests", "setup.cfg", "tox.ini")


def shown(chapter: str) -> list[tuple[str, str, str]]:
    """Return what a chapter shows: what it is, a path, and the text."""
    page = (DOCS / "contributing.md").read_text()
    text = page.partition(f"\n## {chapter}\n")[2].partition("\n## ")[0]
    # A list's item is indented by three columns.
    return [
        (what, path, re.sub(r"(?m)^ {3}", "", code)) for what, path, code in SHOWN.findall(text)
    ]


def copied(directory: Path, chapter: str) -> list[str]:
    """Copy the tree, add the files that a chapter shows, and return those that are tests."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, directory / name)
    files = {path: code for what, path, code in shown(chapter) if what == "file"}
    for path, code in files.items():
        assert not (ROOT / path).exists()
        (directory / path).parent.mkdir(exist_ok=True)
        (directory / path).write_text(code)
    return [path for path in files if path.startswith("tests/")]


def insert(file: Path, code: str, line: str) -> None:
    """Insert code before the only line that begins so."""
    before, found, after = file.read_text().partition(line)
    assert found
    assert line not in after
    file.write_text(before + code + found + after)


def check_tests(directory: Path, *words: str) -> None:
    """Run tests in the copy; check that some run, and that all pass."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", "-q", *words],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_command_of_the_recipe_passes_its_tests(tmp_path: Path) -> None:
    """Its name is in MODULES, and the document has its tests."""
    tests = copied(tmp_path, "Add a command")
    assert len(tests) == 2
    modules = tmp_path / "csf_backup_plugin" / "cli" / "__init__.py"
    line = '    "size": "Say how large an image is.",\n}\n'
    modules.write_text(modules.read_text().replace("}\n", line, 1))
    check_tests(tmp_path, *tests)


def test_the_host_adapter_of_the_recipe_passes_its_tests(tmp_path: Path) -> None:
    """It also passes tests of the contract: for files, programs and the lock, one each."""
    tests = copied(tmp_path, "Add a host adapter")
    chosen = "    from csf_backup_plugin.hosts.ssh.host import connected"
    named = "    return not is_this_machine(name)"
    places = [
        ("csf_backup_plugin/hosts/connect.py", chosen),
        ("csf_backup_plugin/hosts/connect.py", named),
        ("tests/hosts/conftest.py", "    else:\n        with reached("),
    ]
    imports = "from csf_backup_plugin.hosts.local.host import LocalHost"
    inserted = [one for one in shown("Add a host adapter") if one[0] != "file"]
    assert [path for what, path, _ in inserted if what == "into"] == [path for path, _ in places]
    lines = iter(line for _, line in places)
    for what, path, code in inserted:
        insert(tmp_path / path, code, next(lines) if what == "into" else imports)
    fixture = tmp_path / "tests" / "hosts" / "conftest.py"
    params = 'params=["local", "ssh", "memory"'
    assert params in fixture.read_text()
    fixture.write_text(fixture.read_text().replace(params, f'{params}, "container"'))
    some = "any_name or run_to_their_end or lock_is_waited_for"
    check_tests(tmp_path, *tests)
    check_tests(tmp_path, "tests/hosts/test_contract.py", "-k", f"container and ({some})")
