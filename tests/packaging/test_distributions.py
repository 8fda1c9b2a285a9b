"""Both distributions, built as pip builds them: what they contain, and what not."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
# A package with one of these would overwrite the real one, and uninstalling would delete it.
FORBIDDEN = {"csf", "osbackup", "osrestore", "ossvrstat", "osverifydb", "ssh"}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, zipfile.ZipFile]:
    """Return both wheels, built through the source distribution from a copy of what git has."""
    at = tmp_path_factory.mktemp("build")
    tree = at / "tree"
    tracked = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
    ).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes((ROOT / name).read_bytes())
    for source in (tree, tree / "simulator"):
        build = [sys.executable, "-m", "build", "--outdir", str(at / "dist"), str(source)]
        ended = subprocess.run(build, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return {path.name.split("-")[0]: zipfile.ZipFile(path) for path in (at / "dist").glob("*.whl")}


def contents(wheel: zipfile.ZipFile) -> set[str]:
    """Return the files that a wheel installs, without its metadata."""
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def sources(package: str, root: Path) -> set[str]:
    """Return a package's files in the tree."""
    files = [
        path for kind in ("py", "sh", "yml", "json") for path in root.glob(f"{package}/**/*.{kind}")
    ]
    files.append(root / package / "py.typed")
    return {str(path.relative_to(root)) for path in files}


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    """Return one of a wheel's metadata files."""
    (path,) = [path for path in wheel.namelist() if path.endswith(f".dist-info/{name}")]
    return wheel.read(path).decode()


def test_the_plugins_wheel_holds_the_plugin_and_nothing_else(
    wheels: dict[str, zipfile.ZipFile],
) -> None:
    """Neither tests nor simulator reach a production host."""
    assert contents(wheels["csf_backup_plugin"]) == sources("csf_backup_plugin", ROOT)


def test_the_simulators_wheel_holds_the_simulator_and_nothing_else(
    wheels: dict[str, zipfile.ZipFile],
) -> None:
    """It is a separate distribution."""
    assert contents(wheels["csf_simulator"]) == sources("csf_simulator", ROOT / "simulator")


def test_no_wheel_installs_a_program_of_objectstores_csfs_or_sshs_name(
    wheels: dict[str, zipfile.ZipFile],
) -> None:
    """The simulator's only program is csf-sim, and the plugin has none."""
    programs = {}
    for name, wheel in wheels.items():
        parsed = configparser.ConfigParser()
        parsed.read_string(metadata(wheel, "entry_points.txt"))
        programs[name] = set(parsed["console_scripts"]) if "console_scripts" in parsed else set()
        assert not [path for path in wheel.namelist() if ".data/" in path]
    assert programs == {"csf_backup_plugin": set(), "csf_simulator": {"csf-sim"}}
    assert not FORBIDDEN & set().union(*programs.values())


def test_the_plugin_is_found_in_csfs_entry_point_group(
    wheels: dict[str, zipfile.ZipFile],
) -> None:
    """csf looks there."""
    parsed = configparser.ConfigParser()
    parsed.read_string(metadata(wheels["csf_backup_plugin"], "entry_points.txt"))
    assert dict(parsed["csf"]) == {"backup": "csf_backup_plugin.plugin"}


def test_a_production_host_needs_click_and_pluggy_only(
    wheels: dict[str, zipfile.ZipFile],
) -> None:
    """Everything else is an extra."""
    lines = metadata(wheels["csf_backup_plugin"], "METADATA").splitlines()
    needed = [line for line in lines if line.startswith("Requires-Dist: ") and "extra" not in line]
    assert [line.split(": ")[1].split(">=")[0] for line in needed] == ["click", "pluggy"]
