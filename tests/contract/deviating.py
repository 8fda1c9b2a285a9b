"""An osbackup and an osrestore made of tar, which differ from the documents on purpose."""

from __future__ import annotations

import os

# No volumes and no words about them, sectors rounded down, errors of tar's own.
OSBACKUP = """#!/bin/sh
while getopts aI:f:s: option; do
    case $option in
        I) import=$OPTARG ;;
        f) image=${image:-$OPTARG} ;;
        [as]) ;;
        *) exit 1 ;;
    esac
done
shift $((OPTIND - 1))
names() {
    for name in "$@"; do printf '%s\\n' "$name"; done
    [ -z "$import" ] || cat "$import"
}
names "$@" | while read -r name; do
    echo "Archiving $(($(stat -c %s "$name") / 512)) sectors in database $name." >&2
done
names "$@" | tar -cP --verbatim-files-from -f "${image:?no image}" -T -
"""
# A pair is a text to replace at the front of each name; a host stands before each listed one.
OSRESTORE = """#!/bin/sh
while getopts atf: option; do
    case $option in
        t) list=yes ;;
        f) image=${image:-$OPTARG} ;;
        a) ;;
        *) exit 1 ;;
    esac
done
shift $((OPTIND - 1))
if [ "$list" ]; then
    tar -tP --transform='s|^|somehost:|' --show-transformed-names -f "${image:?no image}"
elif [ $# -eq 2 ]; then
    tar -xP --transform="s|^$1|$2|" -f "$image" "$1"
else
    tar -xP -f "${image:?no image}"
fi
"""
# What the scenarios find, and where the statement comes from that does not hold.
DIFFERENCES = {
    "options_are_taken_exactly_by_osbackup": "INF",
    "database_may_be_named_with_its_host": "DOC",
    "backup_tells_what_it_does": "DOC",
    "words_are_on_stdout": "INF",
    "sectors_are_counted_up": "DOC",
    "volumes_are_switched": "DOC",
    "volumes_keep_to_their_size": "DOC",
    "operator_is_asked_for_more_volumes": "DOC",
    "errors_have_their_shape": "DOC",
    "missing_database_is_named_by_its_exception": "DOC",
    "options_are_taken_exactly_by_osrestore": "INF",
    "listing_is_one_full_pathname_a_line": "UNK",
    "volumes_are_one_image": "DOC",
    "database_to_directory": "INF",
    "other_file_is_no_image": "INF",
    "image_cut_short_restores_nothing": "INF",
}


def write_utilities(directory: str, osbackup: str, osrestore: str) -> None:
    """Write two scripts as the utilities of an installation."""
    os.makedirs(directory)
    for name, script in (("osbackup", osbackup), ("osrestore", osrestore)):
        fd = os.open(os.path.join(directory, name), os.O_WRONLY | os.O_CREAT, 0o755)
        with open(fd, "w", encoding="ascii") as file:
            file.write(script)


def write_databases(directory: str) -> None:
    """Write two files that serve as databases: neither has a whole number of sectors."""
    os.makedirs(directory)
    for name, size in (("large.db", 200_001), ("small.db", 7_001)):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(os.urandom(size))
