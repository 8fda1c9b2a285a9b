"""The modules of the simulator import in one direction."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import csf_simulator

PACKAGE = Path(csf_simulator.__file__).parent
PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")

# Each imports only from itself and from those before it.
ORDER = (
    "system",
    "database",
    "image",
    "server",
    "repository",
    "program",
    "faults",
    "home",
    "utilities",
    "csf",
    "workload",
    "simulator",
    "pytest_plugin",
    "cli",
)

Arrows = dict[str, set[str]]  # by module, the modules that it imports


def read_sources(package: Path) -> dict[str, str]:
    """Return the text of each module of a package, by its dotted name."""
    sources = {}
    for path in package.rglob("*.py"):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        sources[name.removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return sources


def find_arrows(sources: Mapping[str, str]) -> Arrows:
    """Return what each module imports of the others: anywhere in it, and also for types only."""
    return {
        module: {name for name in imported(source) if name in sources}
        for module, source in sources.items()
    }


def imported(source: str) -> Iterator[str]:
    """Yield the dotted names of everything that may be an imported module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import hides where it leads"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def upward(arrows: Arrows, order: tuple[str, ...]) -> list[str]:
    """Return the imports that lead from a package to a later one; the top package is the lowest."""

    def height(module: str) -> int:
        _, _, inside = module.partition(".")
        return order.index(inside.partition(".")[0]) if inside else -1

    return [
        f"{module} imports {target}"
        for module, targets in sorted(arrows.items())
        for target in sorted(targets)
        if height(target) > height(module)
    ]


def find_cycle(arrows: Arrows) -> list[str]:
    """Return the modules of one cycle, its first also as its last; nothing without a cycle."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_packages_import_downwards_only() -> None:
    """No package of the simulator imports from a package that comes after it."""
    arrows = find_arrows(read_sources(PACKAGE))
    assert sum(map(len, arrows.values())) > 200
    assert upward(arrows, ORDER) == []


def test_no_modules_import_each_other() -> None:
    """The imports of the simulator's modules form no cycle."""
    assert find_cycle(find_arrows(read_sources(PACKAGE))) == []


def test_the_page_shows_the_order() -> None:
    """The list in docs/simulator.md names the same packages in the same order."""
    section = PAGE.partition("<!-- packages -->")[2]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == ORDER


@pytest.mark.parametrize(
    "source",
    [
        "import top.high.tower",
        "import top.high",
        "from top.high import tower",
        "from top.high.tower import flag",
        "from top import high",
        "if TYPE_CHECKING:\n    from top.high.tower import Flag",
        "def function():\n    import top.high.tower as it",
    ],
)
def test_an_upward_import_is_found(source: str) -> None:
    """Each form of an import counts, wherever it stands."""
    tree = dict.fromkeys(["top", "top.low", "top.high", "top.high.tower"], "")
    tree["top.low.cellar"] = source
    found = upward(find_arrows(tree), ("low", "high"))
    assert found
    assert all(arrow.startswith("top.low.cellar imports top.high") for arrow in found)
    assert upward(find_arrows(tree), ("high", "low")) == []


def test_a_package_outside_the_order_is_an_error() -> None:
    """A new package must be given its place."""
    tree = {"top.low": "", "top.new": "import top.low"}
    with pytest.raises(ValueError, match="in tuple"):
        upward(find_arrows(tree), ("low",))


def test_a_cycle_is_found() -> None:
    """Modules that import each other are named, also when one import is for types only."""
    tree = {
        "top.a": "from top.b import thing",
        "top.b": "from top import c",
        "top.c": "if TYPE_CHECKING:\n    from top.a import Thing",
    }
    cycle = find_cycle(find_arrows(tree))
    assert cycle[0] == cycle[-1]
    assert set(cycle) == tree.keys()
    assert find_cycle(find_arrows({**tree, "top.c": ""})) == []


def test_a_relative_import_is_an_error() -> None:
    """The check does not follow relative imports, so it must not pass over them."""
    with pytest.raises(AssertionError, match="a relative import"):
        find_arrows({"top.a": "from . import b"})
