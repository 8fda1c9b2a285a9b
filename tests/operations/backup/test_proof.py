"""The proof of an image finds everything that can be wrong with one."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.errors import ImageUnproven, TimedOut
from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN, Completed
from csf_backup_plugin.objectstore.program_end import described
from csf_backup_plugin.operations.backup.database_sizes import look
from csf_backup_plugin.operations.backup.preflight import prepare
from csf_backup_plugin.operations.backup.proof import Proof, prove
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.repository import manifest
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = BackupRequest.parse("/r/lib.db", "db1:/b/a.img")
FILES = {"/r/lib.db": b"12", "/r/Book.db": b"1"}
OWN = {"/r/lib.db.manifest": manifest.encode(["lib.db", "Book.db"])}
LIST = b"db1:/r/lib.db\n/r/Book.db\n"


FACTS_BEFORE: dict[str, dict[str, Any]] = {}


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Clear what earlier tests have stored."""
    yield
    FACTS_BEFORE.clear()


@pytest.fixture
def host() -> MemoryHost:
    """Return a host on which osbackup has just made a sound image."""
    made = MemoryHost({**FILES, "/b/a.img": b"image", "/b/a.img.dbn": b"/r/lib.db\n/r/Book.db\n"})
    made.listing = Completed(0, LIST)
    return made


def outcome(host: MemoryHost, request: BackupRequest = REQUEST) -> Proof:
    """Prove the image against what was on disk before osbackup."""
    before = MemoryHost(FILES, ["/b"])
    before.facts = FACTS_BEFORE
    plan = prepare(request, before, Memory())
    return prove(
        request,
        plan,
        look(plan.found.coverage.paths, before),
        len(host.files.get("/b/a.img", b"")),
        60,
        host,
        Memory(),
    )


def test_a_sound_image_is_known_by_its_size_and_digest(host: MemoryHost) -> None:
    """Names with and without a host are equal."""
    assert outcome(host)[:2] == (5, sha256(b"image").hexdigest())


def test_without_a_checksum_nothing_is_read_but_the_list(host: MemoryHost) -> None:
    """This is what -no-checksum means."""
    request = BackupRequest.parse("/r/lib.db", "db1:/b/a.img", checksum=False)
    assert outcome(host, request)[:2] == (5, None)


@pytest.mark.parametrize("image", [None, b""])
def test_no_image_and_an_empty_one_fail(host: MemoryHost, image: bytes | None) -> None:
    """The exit status of osbackup does not matter."""
    del host.files["/b/a.img"]
    if image is not None:
        host.files["/b/a.img"] = image
    with pytest.raises(ImageUnproven, match="db1:/b/a.img .* no image, or an empty one"):
        outcome(host)


def test_an_image_osrestore_cannot_read_fails_with_its_words(host: MemoryHost) -> None:
    """A list with an error message is not accepted."""
    host.listing = Completed(1, LIST + b"<err-0001-0001>bad image (err_inconsistent_db)\n")
    with pytest.raises(ImageUnproven, match=r"exit 1.*(?s:.)*err_inconsistent_db"):
        outcome(host)


@pytest.mark.parametrize(
    ("listing", "problem"),
    [
        (b"/r/lib.db\n", "missing from the image: /r/Book.db"),
        (LIST + b"/r/Old.db\n", "not expected in the image: /r/Old.db"),
    ],
)
def test_an_image_with_other_databases_fails_and_names_them(
    host: MemoryHost, listing: bytes, problem: str
) -> None:
    """Both missing and additional databases are named."""
    host.listing = Completed(0, listing)
    with pytest.raises(ImageUnproven, match=problem):
        outcome(host)


@pytest.mark.parametrize("listing", [b"", b"\n", b"2 databases\nBook\nlib\n"])
def test_a_list_that_cannot_be_read_is_distinguished_from_a_missing_database(
    host: MemoryHost, listing: bytes
) -> None:
    """The message shows the first lines of the list."""
    host.listing = Completed(0, listing, b"warning: locale\n")
    with pytest.raises(ImageUnproven, match="-t prints names no database: it ") as caught:
        outcome(host)
    assert "missing" not in caught.value.what
    words = "it begins:\n    2 databases\n    Book\n" if listing.strip() else "it is empty"
    assert words in caught.value.what
    assert caught.value.what.endswith("said on standard error:\n    warning: locale")


def test_a_list_of_other_databases_alone_shows_how_it_begins(host: MemoryHost) -> None:
    """The list may have a form that is not known yet."""
    host.listing = Completed(0, b"| /r/lib.db |\n| /r/Book.db |\n")
    with pytest.raises(ImageUnproven, match="missing from the image: /r/Book.db") as caught:
        outcome(host)
    assert "unknown form: it begins:\n    | /r/lib.db |\n" in caught.value.what


def test_what_osrestore_says_on_standard_error_is_no_list(host: MemoryHost) -> None:
    """A shell's warning about the locale, with a path at its end, has no effect."""
    host.listing = Completed(0, LIST, b"sh: warning: cannot change locale (x): /r/x.db\n")
    assert outcome(host)[:2] == (5, sha256(b"image").hexdigest())


def test_a_database_that_appeared_meanwhile_fails_the_proof(host: MemoryHost) -> None:
    """A csf without our hook may create a class during a backup; the next backup includes it."""
    host.files["/r/New.db"] = b""
    with pytest.raises(ImageUnproven, match="not expected in the directory: /r/New.db") as caught:
        outcome(host)
    assert "Run the same command again" in caught.value.next_step


def test_a_database_that_vanished_meanwhile_fails_the_proof(host: MemoryHost) -> None:
    """It fails whether or not the database is in the image."""
    del host.files["/r/Book.db"]
    with pytest.raises(ImageUnproven, match="missing from the directory: /r/Book.db"):
        outcome(host)


KILO, ACCEPTED = 1000, BackupRequest.parse("/r/lib.db", "db1:/b/a.img", accept_small=True)


@pytest.mark.parametrize(
    ("image", "held", "accepted"),
    [
        (10 * KILO, 900 * KILO, False),
        (900 * KILO, 900 * KILO, True),
        (450 * KILO, 900 * KILO, True),
        (384 * KILO, 900 * KILO, False),
        (385 * KILO, 900 * KILO, True),
        (1, 100 * KILO, True),  # such a small file may be all zeros
    ],
)
def test_an_image_that_is_far_too_small_for_its_databases_fails(
    host: MemoryHost, image: int, held: int, *, accepted: bool
) -> None:
    """With -accept-small it is proven."""
    host.files["/b/a.img"] = b"i" * image
    for at in (host.facts, FACTS_BEFORE):
        at["/r/lib.db"] = {"size": held, "allocated": held}
    host.facts["/r/lib.db"]["size"] = 10**9  # it has grown by a hole
    if not accepted:
        with pytest.raises(ImageUnproven, match=f"has {image:,} bytes, .* {held + 1:,} on") as told:
            outcome(host)
        assert "-accept-small" in told.value.next_step
    assert outcome(host, REQUEST if accepted else ACCEPTED).size == image


@pytest.mark.parametrize("look", ["before", "after"])
@pytest.mark.parametrize("less", ["size", "allocated"])
def test_what_was_there_at_one_look_only_need_not_be_in_the_image(
    host: MemoryHost, look: str, less: str
) -> None:
    """Neither do databases that take up no room, or are holes beyond the end of a file."""
    for at in (host.facts, FACTS_BEFORE):
        at["/r/lib.db"] = {"size": 10**6, "allocated": 10**6}
    {"before": FACTS_BEFORE, "after": host.facts}[look]["/r/lib.db"][less] = 1000
    assert outcome(host).size == 5


def test_sizes_before_and_after_are_known_and_what_was_changed(host: MemoryHost) -> None:
    """A change is recognised by timestamp, inode and size."""
    FACTS_BEFORE["/r/lib.db"] = {"stamp": "1", "size": 100}
    host.facts["/r/lib.db"] = {"stamp": "2", "size": 90}
    sizes = outcome(host).sizes
    assert sizes.before_bytes == {"/r/lib.db": 100, "/r/Book.db": 1}
    assert sizes.after_bytes == {"/r/lib.db": 90, "/r/Book.db": 1}
    assert sizes.changed == ("/r/lib.db",)


def test_where_the_file_system_tells_no_blocks_that_is_reported(host: MemoryHost) -> None:
    """Some network file systems report 0 for every file, which means unknown."""
    for at in (host.facts, FACTS_BEFORE):
        at["/r/lib.db"] = {"size": 10**6, "allocated": 0}
        at["/r/Book.db"] = {"allocated": 0}
    (doubt,) = outcome(host).sizes.doubts
    assert doubt.endswith("whether the image is far too small for them cannot be checked")
    host.facts["/r/Book.db"] = {"allocated": 4096}
    assert outcome(host).sizes.doubts == []
    FACTS_BEFORE["/r/lib.db"] = {"size": 100, "allocated": 0}
    host.facts["/r/Book.db"] = {"allocated": 0}  # such a small size proves nothing
    assert outcome(host).sizes.doubts == []


def test_an_osrestore_that_does_not_end_is_a_timeout(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osrestore may be waiting for an operator."""

    def hang(*_: object) -> Completed:
        raise TimeoutError

    monkeypatch.setattr(host, "run", hang)
    with pytest.raises(TimedOut, match="db1:/b/a.img within 60 s"):
        outcome(host)


@pytest.mark.parametrize(
    ("completed", "words"),
    [
        (Completed(2, b""), "exit 2, and printed nothing."),
        (Completed(-9, b"\n"), "signal 9, and printed nothing."),
        (
            Completed(UNKNOWN, b"x"),
            "its exit status is not known: what waited for it was killed, or did not get "
            "it, and printed:\n    x",
        ),
        (
            Completed(1, b"out\n", b"err\n"),
            "exit 1, and printed:\n    err\n  and on standard output:\n    out",
        ),
        (
            Completed(ENDLESS, b"y\n"),
            "it did not stop printing, and was stopped, and printed:\n    y",
        ),
        (Completed(1, b"", b"err\n"), "exit 1, and printed:\n    err"),
        (Completed(1, b"a\xff\x1b[2J\n\nb"), "exit 1, and printed:\n    a\\xff\\x1b[2J\n    b"),
    ],
)
def test_an_ending_is_described_fit_for_a_terminal(completed: Completed, words: str) -> None:
    """Output may have any bytes, which are escaped."""
    assert described(completed) == words


def test_only_the_last_lines_of_a_long_output_are_repeated() -> None:
    """Of a long line, only the beginning is shown."""
    words = described(Completed(1, b"".join(b"%d %s\n" % (n, b"x" * 900) for n in range(99))))
    assert len(words) < 6000
    assert words.splitlines()[1].startswith("    89 xxx")


def test_a_class_that_another_repository_gets_meanwhile_is_no_matter(host: MemoryHost) -> None:
    """Its database is in no manifest yet, and not in the image."""
    two = {"/r/two.db": b"", "/r/two.db.manifest": manifest.encode(["two.db"])}
    plan = prepare(REQUEST, MemoryHost({**FILES, **two, **OWN}, ["/b"]), Memory())
    host.files.update({**two, **OWN, "/r/New.db": b""})
    before = look(plan.found.coverage.paths, host)
    assert prove(REQUEST, plan, before, 5, 60, host, Memory()).size == 5


def test_an_image_that_has_grown_since_osbackup_ended_fails_the_proof(host: MemoryHost) -> None:
    """A process that osbackup left behind may still be writing."""
    plan = prepare(REQUEST, MemoryHost(FILES, ["/b"]), Memory())
    before = look(plan.found.coverage.paths, host)
    with pytest.raises(ImageUnproven, match="still being written"):
        prove(REQUEST, plan, before, 4, 60, host, Memory())
