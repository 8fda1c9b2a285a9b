"""The facts of an attempt for the ledger, from its command line and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.options import name_of
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from csf_backup_plugin.errors import BackupError

_LONGEST = 500  # characters of an error
_DRY_RUN, _DATABASE, _RUN_ID = "-dry-run", "-database", "-run-id"
_IMAGE, _IMAGE_DIR = "-image-file", "-image-dir"


def is_dry_run(words: Sequence[str]) -> bool:
    """Return whether a command line, right or wrong, asks for a dry run."""
    return _DRY_RUN in map(name_of, _options(words))


def at_begin(words: Sequence[str]) -> dict[str, Any]:
    """Return the facts in a command line; read a wrong one as far as possible.

    Args:
        words: the command line after the command's name.
    """
    image = _first(words, _IMAGE)
    directories = [*_values(words, _IMAGE_DIR)]
    somewhere = next(filter(None, (image, *directories)), "")
    return {
        "run_id": _first(words, _RUN_ID),
        "host": somewhere.partition(":")[0] if ":" in somewhere else None,
        "image": image,
        "image_dirs": directories,
        "database": _first(words, _DATABASE),
    }


def at_end(facts: Mapping[str, Any], problem: BackupError | None) -> dict[str, Any]:
    """Return the facts in the result of a command.

    Args:
        facts: the facts of its JSON document.
        problem: why the exit code is not 0; None if it is 0.
    """
    found: dict[str, Any] = {
        "bytes": facts.get("image_bytes", facts.get("database_bytes")),
        "repository_id": facts.get("repository_id"),
        "place": facts.get("place"),
        "number": facts.get("number"),
        "drilled": facts.get("drilled"),
        "warnings": len(facts["warnings"]) if "warnings" in facts else None,
        "error": _beginning(problem.what) if problem else None,
    }
    if "image" in facts and "host" in facts:
        found |= {"host": facts["host"], "image": f"{facts['host']}:{facts['image']}"}
    return found | ({"run_id": facts["run_id"]} if "run_id" in facts else {})


def _beginning(text: str) -> str:
    return shown(" ".join(text.split()))[:_LONGEST]


def _options(words: Sequence[str]) -> Iterator[str]:
    return (word for word in words if word.startswith("-"))


def _first(words: Sequence[str], option: str) -> str | None:
    return next(_values(words, option), None)


def _values(words: Sequence[str], option: str) -> Iterator[str]:
    """Yield each value of an option; a word that looks like an option is not a value."""
    for word, following in zip(words, [*words[1:], ""], strict=False):  # there may be no words
        if word.startswith("-") and name_of(word) == option:
            _, equals, value = word.partition("=")
            if equals or not following.startswith("-"):
                yield value if equals else following
