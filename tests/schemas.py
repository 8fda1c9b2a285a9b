"""The schemas of the plugin's documents, and the comparison of documents with them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import csf_backup_plugin
from csf_backup_plugin.cli import COMMANDS

DIRECTORY = Path(csf_backup_plugin.__file__).parent / "schemas"
FILES = sorted(DIRECTORY.rglob("*.json"))
#: Each schema, by the name of its file.
SCHEMAS = {str(path.relative_to(DIRECTORY)): json.loads(path.read_text()) for path in FILES}
_REGISTRY: Registry[Any] = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in SCHEMAS.values()]
)
_OURS = {command.name for command in COMMANDS}


def check(data: str | bytes) -> None:
    """Compare a document with the schema of its kind; outcomes of tests' own commands have none.

    Raises:
        AssertionError: it is not as its schema says.
    """
    document = json.loads(data)
    kind = document["schema"].split("/")[1]
    if kind == "outcome":
        if document["command"] not in _OURS:
            return
        kind += "/" + document["command"].removeprefix("admin_database_")
    found = [
        f"{error.json_path}: {error.message}" for error in _validator(kind).iter_errors(document)
    ]
    assert not found, f"not as {kind}.json says: {found}"


@functools.cache
def _validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(SCHEMAS[f"{kind}.json"], registry=_REGISTRY)
