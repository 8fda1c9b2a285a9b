"""Which attempts belong to one repository, even if few of them know its id."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.attempts.of_repository import History, history_of
from csf_backup_plugin.attempts.reading import Attempt

NAMED: dict[str, Any] = {"host": "db1", "database": "/r/lib.db"}


def attempt(name: str, **facts: Any) -> Attempt:
    """Return an attempt."""
    return Attempt(name, "admin_database_backup", "driver", "root", 1, **facts)


def history(*attempts: Attempt) -> History:
    """Return the history of the last attempt's repository."""
    found = history_of(attempts[-1], attempts)
    assert found
    return found


def ids(found: History) -> str:
    """Return the ids of its attempts; each is a letter."""
    return "".join(one.id for one in found.attempts)


def test_a_refused_attempt_is_of_the_repository_of_the_same_database() -> None:
    """It was refused before the id was known."""
    done = attempt("a", repository_id="1f" * 16, **NAMED)
    other = attempt("b", repository_id="2e" * 16, host="db1", database="/r/other.db")
    refused = attempt("c", exit_code=30, **NAMED)
    found = history(done, other, refused)
    assert (found.id, found.key, ids(found)) == ("1f" * 16, "1f" * 6, "ac")


def test_what_reads_an_image_is_of_the_repository_whose_it_is() -> None:
    """This also holds if it failed before it read the receipt."""
    image = "db1:/backup/a.img"
    done = attempt("a", repository_id="1f" * 16, image=image, **NAMED)
    assert ids(history(done, attempt("b", host="db1", image=image))) == "ab"
    assert history(done, attempt("b", image="db1:/backup/b.img")).id is None
    latest = "db1:/backup/latest"  # which may be another repository's
    assert history_of(attempt("b", image=latest), [done, attempt("b", image=latest)]) is None


def test_a_repository_whose_id_is_not_known_has_a_key_of_its_own() -> None:
    """What was recorded under that key is found once the id is known."""
    first, second = attempt("a", **NAMED), attempt("b", exit_code=2, **NAMED)
    unknown = history(first, second)
    assert (unknown.id, ids(unknown), len(unknown.key)) == (None, "ab", 12)
    known = history(first, second, attempt("c", repository_id="1f" * 16, **NAMED))
    assert (ids(known), [*known.other_keys]) == ("abc", [unknown.key])


def test_of_two_repositories_at_one_path_the_last_one_counts() -> None:
    """A repository may be copied to a path that another one had."""
    old = attempt("a", repository_id="1f" * 16, **NAMED)
    new = attempt("b", repository_id="2e" * 16, **NAMED)
    assert history(old, new, attempt("c", **NAMED)).id == "2e" * 16
    assert ids(history(old, new, attempt("c", **NAMED))) == "bc"


def test_image_directories_count_only_where_nothing_else_is_named() -> None:
    """They may hold images of several repositories."""
    rotated = attempt("a", repository_id="1f" * 16, image_dirs=("db1:/backup",), **NAMED)
    read = attempt("b", image_dirs=("db1:/backup",), host="db1")
    assert (history(rotated, read).id, ids(history(rotated, read))) == (None, "b")
    assert ids(history(read, rotated, attempt("c", image_dirs=("db1:/backup",)))) == "bc"


def test_a_wrong_command_line_that_names_no_repository_is_of_none() -> None:
    """Otherwise it would be reported for ever, since nothing later belongs to it."""
    wrong = attempt("a", image_dirs=("db1:/backup",), exit_code=2)
    assert history_of(wrong, [wrong]) is None
    bare = attempt("a")
    assert history_of(bare, [bare]) is None


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "repository_id": st.sampled_from([None, "1f" * 16, "2e" * 16]),
                "host": st.sampled_from([None, "db1", "db2"]),
                "database": st.sampled_from([None, "/r/a.db", "/r/b.db"]),
                "image": st.sampled_from([None, "db1:/b/a.img", "db1:/b/b.img"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_an_attempt_is_in_its_own_history_and_no_other_id_is(facts: list[dict[str, Any]]) -> None:
    """This holds whatever other attempts there are."""
    attempts = [attempt(str(number), **one) for number, one in enumerate(facts)]
    found = history_of(attempts[-1], attempts)
    if found is None:
        assert not attempts[-1].image
        assert not attempts[-1].repository_id
        return
    assert attempts[-1] in found.attempts
    assert {one.repository_id for one in found.attempts} <= {None, found.id}
