"""The story of csf-sim demo: explanations, commands, and what each command must do."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """One command of the story, and the explanation before it.

    Attributes:
        words: what a newcomer should know before reading the command.
        command: lines as a user types them, for a shell; {place} stands for the directory of the
            demonstration, {night} for the date of a week's first night, {nights} for all others.
        shows: what its output must contain.
        hides: what its output must not contain.
        exit_code: its expected exit code.
    """

    words: str
    command: str
    shows: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    exit_code: int = 0


STORY = (
    Step(
        "A master repository is a group of databases: two base databases, and one for each class. "
        "This makes one for a zoo, in a temporary directory that is left out of all names here.",
        "csf-sim create {place}/zoo/zoo.db --classes 1",
    ),
    Step(
        "The first backup. One osbackup saves all databases, so they are consistent with each "
        "other. Then the image is proven.",
        "csf admin_database_backup -database {place}/zoo/zoo.db \\\n"
        "    -image-file localhost:{place}/images/first",
        shows=("Backed up 3 databases", "proven"),
    ),
    Step(
        "osrestore lists what is in the image, without restoring it.",
        "osrestore -t -f {place}/images/first",
        shows=("/zoo/zoo.db", "/zoo/zoo_schema.db", "/zoo/Class1.db"),
    ),
    Step(
        "csf creates a class, Penguin, and prints where its database is. The repository has one "
        "database more now.",
        "csf class_create -database {place}/zoo/zoo.db -class Penguin",
        shows=("/zoo/Penguin.db",),
    ),
    Step(
        "The next osbackup hangs, as on a disk that does not answer. No class is created while a "
        "backup runs: the image would lack it. So class_create is refused. Then the backup is "
        "stopped, and removes what it had made.",
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
        "A rotation makes a backup each night, of the new database too. Once a week, it restores "
        "the new image for trial.",
        "csf admin_database_rotate -database {place}/zoo/zoo.db \\\n"
        "    -image-dir localhost:{place}/images -every 24h \\\n"
        "    -drill-every 7d -scratch-dir {place}/copy -slot {night}",
        shows=("Backed up 4 databases", "Restored it for trial", "no rotation made it"),
    ),
    Step(
        "Six more nights. This prints how many backups were proven.",
        "for night in \\\n"
        "    {nights}\n"
        "    do csf admin_database_rotate -database {place}/zoo/zoo.db \\\n"
        "        -image-dir localhost:{place}/images -every 24h \\\n"
        "        -drill-every 7d -scratch-dir {place}/copy -slot $night\n"
        "    done 2>&1 | grep -c proven",
        shows=("6\n",),
    ),
    Step(
        "The status of the week. Each weekday has a place, whose image is replaced a week later. "
        "Sunday's image is a dated one, which is kept for longer. sed removes the last column.",
        "csf admin_database_status -image-dir localhost:{place}/images \\\n"
        "    -database localhost:{place}/zoo/zoo.db | sed 's/  [^ ]*$//'",
        shows=("OK /zoo/zoo.db", "monday", "saturday", "dated", "now; the newest set has 4"),
    ),
    Step(
        "Sunday's image is damaged on its disk. A verification finds that.",
        "sed -i s/Penguin/Pinguin/ {place}/images/dated/*.img\n"
        "csf admin_database_verify -image-file localhost:{place}/images/dated/latest",
        shows=("SHA-256",),
        exit_code=50,
    ),
    Step(
        "The first image is restored into another directory. The zoo stays as it is.",
        "osrestore -f {place}/images/first {place}/zoo {place}/copy",
    ),
    Step(
        "This checks every sector, every reference and every sum of that repository.",
        "csf-sim check {place}/copy/zoo.db",
        shows=("is sound",),
    ),
    Step(
        "It is the zoo as it was at the first backup, without penguins.",
        "ls {place}/copy",
        shows=("Class1.db",),
        hides=("Penguin",),
    ),
    Step(
        "Last, the zoo itself is restored. The image does not hold the penguins' database, so that "
        "is moved out of the way. Nothing is deleted.",
        "csf admin_database_restore -database {place}/zoo/zoo.db \\\n"
        "    -image-file localhost:{place}/images/first -quarantine -yes",
        shows=("overwritten", "/zoo/Penguin.db", "Restored 3 databases"),
    ),
    Step("The zoo is checked.", "csf-sim check {place}/zoo/zoo.db", shows=("is sound",)),
)

THE_END = (
    "Eight backups were proven, a damaged one was found, and three restores succeeded. For a shell "
    "with the simulator's csf, osbackup and osrestore, type: csf-sim run -- sh"
)

NO_PLUGIN = (
    "csf has no command admin_database_backup: csf-backup-plugin is not installed beside "
    "csf-simulator. In the directory of its source, type: {python} -m pip install ."
)
