"""The example of a command in docs/contributing.md works as shown, in a copy of this tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from documents import DOCS, ROOT

FILE = re.compile(r"<!-- file: (\S+) -->\n *```\w+\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COPIED = ("csf_backup_plugin", "tests", "setup.cfg", "tox.ini")


def test_the_command_of_the_recipe_passes_its_tests(tmp_path: Path) -> None:
    """Its name is in MODULES, and the document has its tests."""
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    files = FILE.findall((DOCS / "contributing.md").read_text())
    for path, text in files:
        assert not (ROOT / path).exists()
        (tmp_path / path).write_text(textwrap.dedent(text))
    modules = tmp_path / "csf_backup_plugin" / "cli" / "__init__.py"
    listed = modules.read_text().replace(")\n", '    "size",\n)\n', 1)
    modules.write_text(listed)
    tests = [path for path, _ in files if path.startswith("tests/")]
    assert len(tests) == 2
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", "-q", *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
