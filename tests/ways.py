"""On which hosts a test of a site runs: this machine, one over ssh, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _pytest.mark import ParameterSet

HERE = pytest.mark.ways("local")


def over_ssh(values: Iterable[Any], *chosen: Any) -> list[ParameterSet]:
    """Return a test's parameters; only the chosen ones run over ssh, too."""
    return [pytest.param(value, marks=() if value in chosen else HERE) for value in values]


def is_meant(item: pytest.Item) -> bool:
    """Tell whether the test's own markers and parameters allow this way."""
    way = getattr(item, "callspec", None) and item.callspec.params.get("site")  # type: ignore[attr-defined]
    return way is None or all(way in mark.args for mark in item.own_markers if mark.name == "ways")
