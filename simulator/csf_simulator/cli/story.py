"""The story that csf-sim demo tells: what is said, what is run, and what must come of it."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """What is typed next, and the words before it.

    Attributes:
        words: What a newcomer should know before reading the command.
        command: Lines as a user types them, for a shell; {place} stands for the directory of the
            demonstration, {night} for the date of a week's first night, {nights} for all others.
        shows: What its output must hold.
        hides: What its output must not hold.
        exit_code: How it must end.
    """

    words: str
    command: str
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    exit_code: int = 0


STORY = (
    Step(
        "A master repository is a group of databases that belong together: two to begin with, "
        "and one more for every class. We make one for a zoo, with one class. All of this happens "
        "in a directory that is left out of the names here, and is removed when the story ends.",
        "csf-sim create {place}/zoo/zoo.db --classes 1",
    ),
    Step(
        "The first backup. Only two things need saying, what and where to. One osbackup "
        "saves all databases together, so that they fit together; then the image is proven.",
        "csf admin_database_backup -database {place}/zoo/zoo.db \\\n"
        "    -image-file localhost:{place}/images/first",
        shows=("Backed up 3 databases", "proven"),
    ),
    Step(
        "osrestore can tell what is in the image without restoring it.",
        "osrestore -t -f {place}/images/first",
        shows=("/zoo/zoo.db", "/zoo/zoo_schema.db", "/zoo/Class1.db"),
    ),
    Step(
        "The zoo gets penguins: csf adds a class, and says where the new database is. The set of "
        "databases is a different one now.",
        "csf class_create -database {place}/zoo/zoo.db -class Penguin",
        shows=("/zoo/Penguin.db",),
    ),
    Step(
        "The next osbackup hangs, as on a disk that does not answer. While a backup runs, no class "
        "is created: that would be in the repository and not in the image. csf waits for a while, "
        "here for no time at all, and then refuses. The backup is stopped, and removes what it had "
        "made.",
        "csf-sim fault osbackup hang\n"
        "csf admin_database_backup -database {place}/zoo/zoo.db \\\n"
        "    -image-file localhost:{place}/images/hung &\n"
        "until [ -s {place}/images/hung ]; do sleep 0.02; done\n"
        "CSF_BACKUP_LOCK_WAIT=0 csf class_create -database {place}/zoo/zoo.db -class Zebra\n"
        "echo $?\n"
        "kill $!; wait $!",
        shows=("is held by csf", "20\n", "was stopped by SIGTERM"),
        exit_code=143,
    ),
    Step(
        "From now on, a rotation makes a backup each night. Nobody has to say that there is a new "
        "database; it is found. And since only a restore shows that an image can be restored, the "
        "new one is restored for trial, once a week.",
        "csf admin_database_rotate -database {place}/zoo/zoo.db \\\n"
        "    -image-dir localhost:{place}/images -every 24h \\\n"
        "    -drill-every 7d -scratch-dir {place}/copy -slot {night}",
        shows=("Backed up 4 databases", "Restored it for trial", "no rotation has made it"),
    ),
    Step(
        "Six more nights, all of them now: how many were proven?",
        "for night in \\\n"
        "    {nights}\n"
        "    do csf admin_database_rotate -database {place}/zoo/zoo.db \\\n"
        "        -image-dir localhost:{place}/images -every 24h \\\n"
        "        -drill-every 7d -scratch-dir {place}/copy -slot $night\n"
        "    done 2>&1 | grep -c proven",
        shows=("6\n",),
    ),
    Step(
        "The week, as a status shows it. Each weekday has a place, whose image is replaced a week "
        "later; Sunday's are dated ones, which are kept for longer. sed leaves out the last "
        "column, the image's name.",
        "csf admin_database_status -image-dir localhost:{place}/images \\\n"
        "    -database localhost:{place}/zoo/zoo.db | sed 's/  [^ ]*$//'",
        shows=("OK /zoo/zoo.db", "monday", "saturday", "dated", "now; the newest set has 4"),
    ),
    Step(
        "Sunday's image is damaged on its disk. Whoever verifies it is told.",
        "sed -i s/Penguin/Pinguin/ {place}/images/dated/*.img\n"
        "csf admin_database_verify -image-file localhost:{place}/images/dated/latest",
        shows=("SHA-256",),
        exit_code=50,
    ),
    Step(
        "A backup is worth what can be restored from it. The first image goes into a directory "
        "beside the zoo, so that the zoo itself stays as it is.",
        "osrestore -f {place}/images/first {place}/zoo {place}/copy",
    ),
    Step(
        "Is it a repository in which every sector, every reference and every sum is right?",
        "csf-sim check {place}/copy/zoo.db",
        shows=("is sound",),
    ),
    Step(
        "It is the zoo of the first day: of penguins there is no trace.",
        "ls {place}/copy",
        shows=("Class1.db",),
        hides=("Penguin",),
    ),
    Step(
        "Last, the zoo itself gets that state back. Its master database does not list the "
        "penguins, so their database is in the way: it is moved, and nothing is deleted.",
        "csf admin_database_restore -database {place}/zoo/zoo.db \\\n"
        "    -image-file localhost:{place}/images/first -quarantine -yes",
        shows=("overwritten", "/zoo/Penguin.db", "Restored 3 databases"),
    ),
    Step("Is it sound?", "csf-sim check {place}/zoo/zoo.db", shows=("is sound",)),
)

THE_END = (
    "Eight backups were proven, one that was damaged later was found, and three restores went "
    "well. For a shell of your own in which csf, osbackup and osrestore are the simulator's, type: "
    "csf-sim run -- sh"
)

NO_PLUGIN = (
    "csf has no command admin_database_backup: the plugin that the story is about is not "
    "installed beside csf-simulator. In the directory of its source, type: "
    "{python} -m pip install ."
)
