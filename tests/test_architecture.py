"""The architecture: imports go one way, from the commands down to general modules."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import csf_backup_plugin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PACKAGE = csf_backup_plugin.__name__
ROOT = Path(csf_backup_plugin.__file__).parent

# Each may import what is to its right; docs/architecture.md says why.
ROOMS = (
    *("contract", "plugin"),
    *(
        "cli",
        "fleet",
        "operations",
        "image",
        "repository",
        "objectstore",
        "notices",
        "attempts",
        "hosts",
    ),
)

# The modules that may use each library.
FOREIGN = {
    "click": ("cli", "plugin", "contract"),
    "pluggy": ("plugin", "contract", "hookspecs", "notices"),
    "subprocess": ("hosts",),
}


def trees(root: Path) -> dict[str, ast.Module]:
    """Return the modules below a directory by their dotted names."""
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in root.rglob("*.py")
    }


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a module imports, anywhere in it, also for types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def texts(tree: ast.Module) -> Iterator[str]:
    """Yield the literal texts of a module, with parts of composed ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def names_a_command(text: str) -> bool:
    """Tell whether a text names one of our commands."""
    return "admin_database_" in text


def arrows(modules: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return which modules each module imports, of the same package."""
    return {
        name: {
            found
            for path in imported(tree)
            if path.startswith(f"{PACKAGE}.")
            for found in [_module(path.removeprefix(f"{PACKAGE}."), modules)]
            if found and found != name
        }
        for name, tree in modules.items()
    }


def _module(path: str, modules: Iterable[str]) -> str:
    """Return the module that a dotted path names, or that contains the named object."""
    return path if path in modules else path.rpartition(".")[0]


def upward(found: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the imports that go up: to a room further left, or from below into any room."""
    return sorted(
        f"{name} imports {other}"
        for name, others in found.items()
        for other in others
        if _floor(name) > _floor(other)
    )


def _floor(module: str) -> int:
    room = module.partition(".")[0]
    return ROOMS.index(room) if room in ROOMS else len(ROOMS)


def circle(found: Mapping[str, set[str]]) -> list[str]:
    """Return a cycle of modules that import each other, or an empty list."""
    rest = {name: {*others} for name, others in found.items()}
    while ends := [name for name, others in rest.items() if not others & rest.keys()]:
        for name in ends:
            del rest[name]
    return sorted(rest)


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    """Return the plugin's modules."""
    return trees(ROOT)


def test_imports_go_one_way(modules: dict[str, ast.Module]) -> None:
    """The order is command, operation, then image, repository and objectstore, then hosts."""
    assert upward(arrows(modules)) == []


def test_no_modules_import_each_other(modules: dict[str, ast.Module]) -> None:
    """A module can be understood with the modules that it imports."""
    assert circle(arrows(modules)) == []


@pytest.mark.parametrize("library", FOREIGN)
def test_a_library_is_known_where_it_belongs(modules: dict[str, ast.Module], library: str) -> None:
    """Operations do not import click, pluggy or subprocess."""
    using = {
        name.partition(".")[0]
        for name, tree in modules.items()
        for path in imported(tree)
        if path.partition(".")[0] == library
    }
    assert using
    assert using <= {*FOREIGN[library]}


def test_no_domain_module_names_a_command(modules: dict[str, ast.Module]) -> None:
    """Commands are named in one table, and by their own command line."""
    naming = {name for name, tree in modules.items() if any(map(names_a_command, texts(tree)))}
    assert {name for name in naming if not name.startswith("cli")} == {"command_names"}


def test_a_command_named_in_a_text_is_found() -> None:
    """Composed texts are found, too."""
    tree = ast.parse('f"type csf admin_database_prove -image-file {name}"')
    assert any(map(names_a_command, texts(tree)))


def test_an_import_that_goes_up_is_found() -> None:
    """An import into a package itself counts, and one from a module outside all rooms."""
    made = {
        "cli": "from csf_backup_plugin.operations import backup",
        "operations.backup": "from csf_backup_plugin.cli import options",
        "hosts.local": "if 1:\n  import csf_backup_plugin.image.path",
        "names": "from csf_backup_plugin.hosts.protocol import Host",
        "cli.options": "",
        "image.path": "",
        "hosts.protocol": "from csf_backup_plugin import names",
    }
    assert upward(arrows({name: ast.parse(text) for name, text in made.items()})) == [
        "hosts.local imports image.path",
        "names imports hosts.protocol",
        "operations.backup imports cli.options",
    ]


def test_a_circle_is_found_however_long_it_is() -> None:
    """Modules that only lead to the cycle are named with it."""
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": set(), "e": {"d"}}) == ["a", "b", "c"]
