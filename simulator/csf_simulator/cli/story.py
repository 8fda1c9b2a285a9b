"""The story that csf-sim demo tells: what is said, what is run, and what must come of it."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One command, and the words before it.

    Attributes:
        words: What a newcomer should know before reading the command.
        command: As a user types it; {place} stands for the directory of the demonstration.
        shows: What its output must hold.
        hides: What its output must not hold.
    """

    words: str
    command: str
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()


STORY = (
    Step(
        "A master repository is a group of databases that belong together: two to begin with, "
        "and one more for every class. We make one for a zoo, in a directory that is removed "
        "when the story ends.",
        "csf-sim create {place}/zoo/zoo.db",
    ),
    Step(
        "csf adds a class. It says where the new database is.",
        "csf class_create -database {place}/zoo/zoo.db -class Lion",
        shows=("zoo/Lion.db",),
    ),
    Step("And another one.", "csf class_create -database {place}/zoo/zoo.db -class Zebra"),
    Step(
        "Monday night: the backup. Only two things need saying, what and where to. One osbackup "
        "saves all databases together, so that they fit together; then the image is proven.",
        "csf admin_database_backup -database {place}/zoo/zoo.db"
        " -image-file localhost:{place}/images/monday",
    ),
    Step(
        "osrestore can tell what is in the image without restoring it.",
        "osrestore -t -f {place}/images/monday",
        shows=("zoo/zoo.db", "zoo/zoo_schema.db", "zoo/Lion.db", "zoo/Zebra.db"),
    ),
    Step(
        "Tuesday: the zoo gets penguins. The set of databases is a different one now.",
        "csf class_create -database {place}/zoo/zoo.db -class Penguin",
        shows=("zoo/Penguin.db",),
    ),
    Step(
        "Tuesday night: the same command, another image. Nobody has to say that there is a new "
        "database; the backup finds it.",
        "csf admin_database_backup -database {place}/zoo/zoo.db"
        " -image-file localhost:{place}/images/tuesday",
    ),
    Step(
        "There it is.",
        "osrestore -t -f {place}/images/tuesday",
        shows=("zoo/Lion.db", "zoo/Zebra.db", "zoo/Penguin.db"),
    ),
    Step(
        "A backup is worth what can be restored from it. Monday's image goes into a directory "
        "beside the zoo, so that the zoo itself stays as it is.",
        "osrestore -f {place}/images/monday {place}/zoo {place}/monday",
    ),
    Step(
        "Is it a repository in which every sector, every reference and every sum is right?",
        "csf-sim check {place}/monday/zoo.db",
        shows=("is sound",),
    ),
    Step(
        "It is Monday's zoo: of penguins there is no trace.",
        "ls {place}/monday",
        shows=("Lion.db", "Zebra.db"),
        hides=("Penguin",),
    ),
    Step(
        "The same for Tuesday's image.",
        "osrestore -f {place}/images/tuesday {place}/zoo {place}/tuesday",
    ),
    Step("Is it sound?", "csf-sim check {place}/tuesday/zoo.db", shows=("is sound",)),
    Step(
        "And here are the penguins.",
        "ls {place}/tuesday",
        shows=("Lion.db", "Zebra.db", "Penguin.db"),
    ),
    Step(
        "Last, the zoo itself gets Monday's state back. Monday's master database does not list the "
        "penguins, so their database is in the way: it is moved, and nothing is deleted.",
        "csf admin_database_restore -database {place}/zoo/zoo.db"
        " -image-file localhost:{place}/images/monday -quarantine -yes",
        shows=("overwritten", "zoo/Penguin.db", "Restored 4 databases"),
    ),
    Step("Is it sound?", "csf-sim check {place}/zoo/zoo.db", shows=("is sound",)),
)

THE_END = (
    "Two backups, three restores, and all were proven. For a shell of your own in which csf, "
    "osbackup and osrestore are the simulator's, type: csf-sim run -- sh"
)

NO_PLUGIN = (
    "csf has no command admin_database_backup: the plugin that the story is about is not "
    "installed beside csf-simulator. In the directory of its source, type: "
    "{python} -m pip install ."
)
