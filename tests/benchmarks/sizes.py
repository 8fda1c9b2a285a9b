"""How much is measured."""

from __future__ import annotations

from typing import NamedTuple


class Sizes(NamedTuple):
    """What can be chosen on the command line.

    Attributes:
        rounds: how often each command runs.
        starts: how often csf is started, where that is what is measured.
        mebibytes: sizes of the one large database of a repository; all tools run with the first.
        databases: numbers of databases in a repository.
        images: numbers of images in a directory.
        networks: ways to another host: `quiet`, on the loopback; `far`, with a round trip of
            100 ms; `heavy`, with a `.bashrc` that burns 0.1 s of CPU.
        before: the Python of an earlier version, to be measured, too; empty for none.
    """

    rounds: int
    starts: int
    mebibytes: tuple[int, ...]
    databases: tuple[int, ...]
    images: tuple[int, ...]
    networks: tuple[str, ...]
    before: str = ""


USUAL = Sizes(
    rounds=5,
    starts=25,
    mebibytes=(768, 8192),
    databases=(1_000, 5_000, 20_000),
    images=(366, 1_000, 5_000),
    networks=("quiet", "far", "heavy"),
)
QUICK = Sizes(
    rounds=1, starts=1, mebibytes=(1, 2), databases=(3,), images=(2,), networks=("quiet",)
)
