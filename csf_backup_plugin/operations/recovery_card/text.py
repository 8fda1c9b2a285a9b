"""The text of a recovery card, for a reader who has only the images and ObjectStore.

It is UTF-8, for a screen of 80 columns. Commands, and lines that end with a path, are not wrapped.
It has timestamps instead of ages, since it may be read at any time.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from csf_backup_plugin import __version__
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.database_directories import directories
from csf_backup_plugin.operations.recovery_card.by_hand import commands_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.recovery_card.sections import Known, Section

_TITLE = "Recovery card of csf-backup-plugin"
#: The beginning of every card; a file with another beginning is never overwritten.
MARK = _TITLE.encode()
_WIDTH = 80
_MINUTE = 60


def card(
    directory: str, machine: Machine, sections: Sequence[Section], unusable: Sequence[str]
) -> bytes:
    """Return the card of a directory.

    Args:
        directory: its path.
        machine: the host, and its clock.
        sections: the section of each repository.
        unusable: a sentence about each unusable receipt in the directory.
    """
    lines = [*_head(directory, machine)]
    for one in sections:
        lines += ["", "", *_section(one)]
    if unusable:
        lines += ["", "", "Images that are not listed, since their receipts cannot be used:"]
        lines += [f"  {one}" for one in unusable]
    return "".join(f"{line}\n" for line in lines).encode()


def _head(directory: str, machine: Machine) -> Iterator[str]:
    yield _TITLE
    yield "=" * len(_TITLE)
    yield ""
    yield from _paragraph(
        "How to get databases back from the images in this directory and its places. The plugin "
        "rewrites this file after each backup, drill and removal here: do not edit it."
    )
    yield ""
    yield f"  Directory:  {shown(directory)}"
    yield f"  Machine:    {shown(machine.name)}"
    yield f"  Written:    {machine.now}, by version {__version__}"
    for text in (
        "Each set is listed that had a usable receipt (PATH.receipt.json) here at that moment. "
        "Within a repository the highest number is the newest backup, and another directory may "
        "have a newer one. An image without a receipt is not proven.",
        "The paths are those of that machine. If the disk with the images is mounted elsewhere "
        "now, write where it is in the commands. Type them, in bash, on the machine that has the "
        "disk. osrestore is in $OS_ROOTDIR/bin.",
        "Restoring overwrites databases, and they are unusable until it has ended. Stop the "
        "applications first, and leave the ObjectStore Servers running.",
    ):
        yield ""
        yield from _paragraph(text)


def _section(section: Section) -> Iterator[str]:
    newest = section.newest
    receipt, image = newest.set.receipt, newest.set.image
    known = [size for size in receipt.databases.values() if size is not None]
    yield "-" * _WIDTH
    yield f"Master database {shown(receipt.master)}"
    yield f"  on the machine {shown(receipt.origin.machine or 'unknown')}"
    yield f"  repository     {shown(receipt.origin.id or 'without an id')}"
    yield ""
    yield f"Newest proven set: {_number(newest)}"
    yield f"  image      {shown(image.path)}"
    if receipt.copied:
        yield f"  copied     {receipt.copied.at}, from {receipt.copied.image}"
    yield f"  begun      {receipt.started}"
    yield f"  size       {receipt.size:,} bytes"
    yield f"  databases  {len(receipt.databases):,}, {sum(known):,} bytes; by name, one a line, in:"
    yield f"             {shown(image.import_file)}"
    for mount in _mounts(receipt):
        yield f"  on a disk  mounted at {shown(mount)}"
    yield f"  verified   {_checked(newest.checks.verified)}"
    yield f"  drilled    {_checked(newest.checks.drilled)}"
    yield f"  SHA-256    {receipt.sha256 or 'none was taken'}"
    for one in section.faulty:
        yield f"! {_number(one)} is newer, and was found at fault: {shown(one.set.image.path)}"
    for doubt in section.doubts:
        yield f"! {doubt}"
    yield ""
    yield from _paragraph(
        f"With it, all work since {receipt.started} is lost: that is when this backup began."
    )
    yield from _paragraph(_how_long(section))
    yield from _commands(newest)
    yield ""
    yield from _older(section.older)


def _mounts(receipt: Receipt) -> list[str]:
    """Return the mount points that held databases, except ``/``."""
    mounts = receipt.origin.mounts
    return sorted({mounts.get(home, "/") for home in directories(receipt.databases)} - {"/", ""})


def _commands(newest: Known) -> Iterator[str]:
    """Yield the commands that restore a set, each after its explanation."""
    for comment, typed in commands_of(newest.set.image, newest.set.receipt):
        yield ""
        yield from _paragraph(comment)
        yield f"    {typed}"


def _older(older: Sequence[Known]) -> Iterator[str]:
    if not older:
        yield "There is no older set in this directory."
        return
    yield from _paragraph(
        "If that image is bad, take the next one. The commands are the same, with its path, and "
        "its receipt has its SHA-256."
    )
    for one in older:
        fault = ", found AT FAULT" if one.is_at_fault else ""
        began = one.set.receipt.started
        yield f"  {_number(one)}, begun {began}{fault}: {shown(one.set.image.path)}"


def _how_long(section: Section) -> str:
    check, one = section.drilled, section.drilled_set
    if check is None or one is None:
        return "How long a restore takes is not known: no good drill is on record here."
    number = one.receipt.origin.number
    which = "a set without a number" if number is None else f"backup {number}"
    text = f"The last good drill, of {which}, ended {check.at}"
    if check.seconds is None:
        return f"{text}."
    return f"{text}: osrestore took {_long(check.seconds)} for {one.receipt.size:,} bytes."


def _long(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:,.0f} min"


def _number(one: Known) -> str:
    number = one.set.receipt.origin.number
    return "a backup without a number" if number is None else f"backup {number}"


def _checked(check: Check | None) -> str:
    if check is None:
        return "not on record"
    return f"sound, {check.at}" if check.is_sound else f"AT FAULT, {check.at}"


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
