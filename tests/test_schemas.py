"""The shipped schemas are valid and complete, and there is one for each document.

This does not test the documents: each document that a test makes is compared with its schema as it
is made, see `documents_are_checked` in conftest.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from receipts import made, receipt_of
from schemas import SCHEMAS, check

from csf_backup_plugin.attempts import line
from csf_backup_plugin.cli import COMMANDS
from csf_backup_plugin.image import run_note, sealed_json
from csf_backup_plugin.image.receipt import Origin

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "documents.md"


def objects(schema: Any) -> list[dict[str, Any]]:
    """Return a schema and every part of it that is an object."""
    if isinstance(schema, list):
        return [part for one in schema for part in objects(one)]
    return [schema, *objects([*schema.values()])] if isinstance(schema, dict) else []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one(name: str) -> None:
    """Each has a title, and an id that matches its file's name."""
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["$id"] == f"urn:csf-backup:{name.removesuffix('.json').replace('/', '-')}"


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_key_is_described(name: str) -> None:
    """No document has a key that its schema does not know."""
    for one in objects({**SCHEMAS[name], "if": {}, "else": {}}):
        properties = one.get("properties", {})
        assert [key for key in properties if not properties[key].get("description")] == []
        if properties and one not in SCHEMAS[name].get("$defs", {}).values():
            assert one.get("additionalProperties", one.get("unevaluatedProperties")) is False


def test_the_page_lists_them_all() -> None:
    """Each has its title there."""
    rows = [
        f"| `{name}` | {one['title']} |" for name, one in SCHEMAS.items() if name != "common.json"
    ]
    listed = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert sorted(listed) == sorted(rows)


def test_the_example_of_the_page_checks_a_receipt(tmp_path: Path) -> None:
    """It fails for a receipt that does not match the schema."""
    example = PAGE.read_text().split("```python\n")[1].split("```")[0]
    receipt = tmp_path / "a.img.receipt.json"

    def failed() -> int:
        command = [sys.executable, "-c", example, str(receipt)]
        return subprocess.run(command, capture_output=True, timeout=100).returncode

    facts = json.loads(receipt_of(made("/b/a.img", 1, import_file_sha256="0" * 64)))
    receipt.write_text(json.dumps(facts))
    assert not failed()
    receipt.write_text(json.dumps({**facts, "number": "one"}))
    assert failed()


def test_there_is_one_for_each_command() -> None:
    """There is none for anything else."""
    commands = {str(command.name).removeprefix("admin_database_") for command in COMMANDS}
    assert {name for name in SCHEMAS if name.startswith("outcome/")} == {
        f"outcome/{name}.json" for name in commands
    }


def test_a_line_of_the_ledger_has_the_keys_that_it_is_read_for() -> None:
    """The schema has exactly the keys that are read."""
    head = {"schema", "event", "attempt"}
    assert {*SCHEMAS["attempt.json"]["properties"]} == {*head, *line.TYPES, *line.TYPES_AT_END}


@pytest.mark.parametrize("change", [{"number": "one"}, {"another": 1}, {"place": "sometimes"}])
def test_a_document_that_is_not_as_its_schema_says_is_found(change: dict[str, object]) -> None:
    """So the check of every document can fail."""
    note = run_note.encode(Origin("id", 1, "", "host"), None)
    check(note)
    with pytest.raises(AssertionError, match=r"not as note\.json says"):
        check(json.dumps({**json.loads(note), **change}))


def test_an_outcome_that_lacks_a_key_is_found() -> None:
    """An outcome of an error may lack it."""
    lacking = {
        "schema": sealed_json.schema("outcome"),
        "command": "admin_database_schedule",
        "exit_code": 2,
    }
    with pytest.raises(AssertionError, match=r"not as outcome/schedule\.json says"):
        check(json.dumps(lacking))
    check(json.dumps({**lacking, "error": "It failed.", "left": "Nothing.", "next_step": "Look."}))
