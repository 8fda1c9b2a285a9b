"""Follow the references from a master database to the databases it lists."""

from __future__ import annotations

import os

from csf_simulator.database.examination import Examination
from csf_simulator.database.header import NotADatabase, read_header
from csf_simulator.repository.entries import Entry, decode_entry


def dangling(master: str, examination: Examination) -> list[str]:
    """Return the references that lead nowhere, or to a wrong database, one sentence each.

    Args:
        master: the database that was examined.
        examination: what was found in it; only a master database has references.
    """
    if examination.header is None or examination.header.kind != "master":
        return []
    directory = os.path.dirname(master)
    return [
        f"sector {number} refers to {entry.file_name}, which {fault}"
        for number, payload in examination.payloads.items()
        if (fault := _fault(directory, entry := decode_entry(payload)))
    ]


def _fault(directory: str, entry: Entry) -> str:
    """Return what is wrong with the file that an entry names; empty if nothing is."""
    try:
        with open(os.path.join(directory, entry.file_name), "rb") as file:
            found = read_header(file.fileno())
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    except NotADatabase as error:
        return f"is {error}"
    return "" if found.database_id == entry.database_id else "is another database"
