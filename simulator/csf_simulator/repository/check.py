"""Check a whole repository for damage by a crash, a restore or a bug."""

from __future__ import annotations

import os
from typing import NamedTuple

from csf_simulator.database.examination import Examination, examine
from csf_simulator.repository.accounts import decode_balance
from csf_simulator.repository.entries import Entry, decode_entry
from csf_simulator.repository.names import suffix
from csf_simulator.server.server import Server


class Finding(NamedTuple):
    """One thing wrong with one file of a repository."""

    path: str
    fault: str

    def __str__(self) -> str:
        return f"{self.path}: {self.fault}"


def check(server: Server, master: str) -> list[Finding]:
    """Check structure and invariant of a repository at an instant between transactions.

    Every database must be sound, the master database must list exactly the databases of its
    directory, and all balances together must be what the accounts were opened with.

    Args:
        server: the home whose transactions touch the repository.
        master: its master database.

    Returns:
        All that is wrong; nothing for a sound repository.

    Raises:
        DatabaseInUse: it is being restored.
    """
    master = os.path.abspath(master)
    with server.between_transactions() as pause:
        pause.require_usable(master)
        examination = examine(master)
        findings = _findings(master, examination, "master")
        if examination.header and examination.header.kind == "master":
            entries = [decode_entry(payload) for payload in examination.payloads.values()]
            for entry in entries:
                pause.require_usable(_path(master, entry))
            surplus = _check_listed(master, entries, findings)
            findings += _unlisted(master, entries)
            # A database that could not be read would be missing from the sum.
            if surplus and not findings:
                fault = f"all accounts together hold {abs(surplus)} too {_much(surplus)}"
                findings.append(Finding(master, fault))
    return findings


def _check_listed(master: str, entries: list[Entry], findings: list[Finding]) -> int:
    """Check every database the master lists, add to the findings and return the surplus."""
    surplus = 0
    for entry in entries:
        path = _path(master, entry)
        examination = examine(path)
        findings += _findings(path, examination, "class" if entry.class_name else "schema")
        header = examination.header
        if header and header.database_id != entry.database_id:
            findings.append(Finding(path, "is not the database the master database lists"))
        surplus += _surplus(examination)
    return surplus


def _path(master: str, entry: Entry) -> str:
    return os.path.join(os.path.dirname(master), entry.file_name)


def _findings(path: str, examination: Examination, kind: str) -> list[Finding]:
    """Return what is wrong with one database by itself."""
    faults = list(examination.faults)
    header = examination.header
    if header and header.kind != kind:
        faults.append(f"is a {header.kind} database, not a {kind} database")
    return [Finding(path, fault) for fault in faults]


def _surplus(examination: Examination) -> int:
    """Return by how much a database's balances exceed what its accounts were opened with."""
    if examination.header is None or examination.header.kind != "class":
        return 0
    return sum(map(decode_balance, examination.payloads.values())) - examination.header.opening


def _much(surplus: int) -> str:
    return "much" if surplus > 0 else "little"


def _unlisted(master: str, entries: list[Entry]) -> list[Finding]:
    """Return the files that look like databases of the repository but are not listed."""
    listed = {os.path.basename(master), *(entry.file_name for entry in entries)}
    with os.scandir(os.path.dirname(master)) as directory:
        files = sorted((entry.name, entry.path) for entry in directory if entry.is_file())
    fault = "is not listed in the master database"
    return [
        Finding(path, fault)
        for name, path in files
        if suffix(name) == suffix(master) and name not in listed
    ]
