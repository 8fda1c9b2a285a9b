"""Requests that several threads send to a host at the same time go there as one call."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest
from sshd import reached
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.hosts.ssh.gathering import Gathering
from csf_backup_plugin.hosts.ssh.host import SshHost
from csf_backup_plugin.hosts.ssh.library import answers_of_each
from csf_backup_plugin.hosts.ssh.request import Request
from csf_backup_plugin.hosts.ssh.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.ssh.request import Pending


class Asked:
    """A host that answers each text with the same text.

    Attributes:
        calls: the texts of each call, sorted; a call made alone has one.
        failures: the errors that the next calls raise when they are sent, in order.
        late: the errors that the next calls raise when they are answered, in order.
    """

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.failures: list[Exception] = []
        self.late: list[Exception] = []
        self.gathering = Gathering(self._post, self._wait)

    def ask(self, text: str) -> str:
        """Ask for a text."""
        return self.gathering.ask(Request(text)).output.decode()

    def ask_long(self, text: str) -> str:
        """Ask for a text that takes long."""
        return self.gathering.ask(Request(text, "program")).output.decode()

    def alone(self, text: str) -> str:
        """Make a call that is not gathered with others."""
        self.gathering.wait_for_turn()
        self.calls.append([text])
        return text

    def together(self, *steps: Callable[[], Any]) -> list[Any]:
        """Carry out steps, and return their results."""
        return [one.result() for one in self.gathering.carry_out(steps)]

    def _post(self, requests: Sequence[Request]) -> Pending:
        if self.failures:
            raise self.failures.pop(0)
        texts = [one.text for one in requests]
        self.calls.append(sorted(texts))
        return cast("Pending", texts)

    def _wait(self, pending: Pending) -> list[Answer]:
        texts = cast("Sequence[str]", pending)
        if self.late:
            raise self.late.pop(0)
        return [Answer(0, text.encode(), b"") for text in texts]


@pytest.fixture
def asked() -> Asked:
    """Return a host that answers each text with the same text."""
    return Asked()


def test_what_steps_ask_for_at_once_is_one_call(asked: Asked) -> None:
    """Steps share one call, and each gets its own answer, even for equal texts."""

    def twice(name: str) -> tuple[str, str]:
        return asked.ask(f"{name}1"), asked.ask(f"{name}2")

    found = asked.together(lambda: twice("a"), lambda: twice("b"), lambda: twice("a"))
    assert found == [("a1", "a2"), ("b1", "b2"), ("a1", "a2")]
    assert asked.calls == [["a1", "a1", "b1"], ["a2", "a2", "b2"]]


def test_a_step_that_ends_is_not_waited_for(asked: Asked) -> None:
    """A step that has ended does not delay the others, before or after they ask."""
    ended = threading.Event()

    def ask() -> str:
        ended.wait(20)
        return asked.ask("a")

    assert asked.together(ask, ended.set) == ["a", None]
    assert asked.together(lambda: asked.ask("a"), lambda: None) == ["a", None]
    assert asked.calls == [["a"], ["a"]]
    assert asked.gathering.carry_out([]) == []


def test_steps_of_a_step_are_asked_for_with_the_others(asked: Asked) -> None:
    """Nested steps share the call of the outer ones; then their own step is waited for again."""

    def outer() -> list[str]:
        found = asked.together(lambda: asked.ask("a"), lambda: asked.ask("b"), lambda: "c")
        return [*found, asked.ask("d")]

    def other() -> str:
        return asked.ask("x") + asked.ask("y")

    assert asked.together(outer, other) == [["a", "b", "c", "d"], "xy"]
    assert asked.calls == [["a", "b", "x"], ["d", "y"]]


def test_another_kind_of_call_goes_behind_what_is_asked_for(asked: Asked) -> None:
    """A call of another kind is sent after the gathered ones, and after a long call has ended."""

    def other() -> str:
        return asked.alone("other") + asked.ask("b")

    steps = (other, lambda: asked.ask("a"), lambda: asked.ask_long("program"))
    assert asked.together(*steps) == ["otherb", "a", "program"]
    assert asked.calls == [["a"], ["program"], ["other"], ["b"]]


def test_what_takes_long_is_a_call_of_its_own(asked: Asked) -> None:
    """Long requests are one call behind the short ones; until its end, nothing else is sent."""

    def long(name: str) -> str:
        return asked.ask_long(name) + asked.ask(f"{name}2")

    def short() -> str:
        return asked.ask("a") + asked.ask("b")

    assert asked.together(lambda: long("x"), short, lambda: long("y")) == ["xx2", "ab", "yy2"]
    assert asked.calls[:2] == [["a"], ["x", "y"]]
    assert sorted(text for call in asked.calls[2:] for text in call) == ["b", "x2", "y2"]


def test_several_calls_of_another_kind_wait_for_nothing_else(asked: Asked) -> None:
    """Calls of another kind do not wait for a gathered call if there is none."""
    assert asked.together(*[lambda: asked.alone("p")] * 3) == ["p"] * 3
    assert asked.calls == [["p"]] * 3


@pytest.mark.parametrize("when", ["failures", "late"])
def test_an_error_comes_to_each_step(asked: Asked, when: str) -> None:
    """If a call fails, each of its steps gets the error, and can ask again."""
    getattr(asked, when).append(HostUnreachable("cut", ""))

    def again() -> str:
        with pytest.raises(HostUnreachable, match="cut"):
            asked.ask("a")
        return asked.ask("b")

    assert asked.together(again, again) == ["b", "b"]
    assert asked.calls[-1] == ["b", "b"]


def test_a_step_whose_thread_cannot_be_started_is_not_waited_for(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a thread cannot start, the other steps end and the error is raised, also when nested."""
    start, begun = threading.Thread.start, []

    def full(thread: threading.Thread) -> None:
        begun.append(thread)
        if len(begun) in (2, 4):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", full)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        asked.together(lambda: asked.ask("a"), lambda: asked.ask("b"))

    def outer() -> str:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            asked.together(lambda: asked.ask("c"))
        return asked.ask("d")

    assert asked.together(outer) == ["d"]
    assert asked.calls == [["a"], ["d"]]


def test_a_thread_outside_of_all_steps_is_not_one(asked: Asked) -> None:
    """A thread counts as a step only while it carries one out."""
    assert not asked.gathering.is_inside
    assert asked.together(lambda: asked.gathering.is_inside) == [True]
    assert not asked.gathering.is_inside


def test_texts_that_were_not_done_have_failed() -> None:
    """A text without an answer has failed, for example because the shell was killed."""
    whole = b"a\0b\0mark\x000\0said\0mark\0\0mark\x003\0\0mark\0"
    sound = [Answer(0, b"a\0b", b"said"), Answer(3, b"", b"")]
    assert answers_of_each(Answer(0, whole, b""), 2, "mark") == sound
    killed = Answer(137, whole + b"part", b"Killed")
    assert answers_of_each(killed, 4, "mark") == [*sound, *[Answer(137, b"", b"Killed")] * 2]
    assert answers_of_each(Answer(0, b"", b""), 2, "mark") == [Answer(1, b"", b"")] * 2


def test_a_host_answers_each_of_several_texts(sshd: Sshd, tmp_path: Path) -> None:
    """One call carries any bytes."""
    data = bytes(range(256)) * 3
    (tmp_path / "file").write_bytes(data)
    with reached(sshd) as host:
        assert isinstance(host, SshHost)
        made = host._connection
        found = host.together(
            lambda: host.read(str(tmp_path / "file")),
            lambda: host.read(str(tmp_path / "none")),
            lambda: made.ask("eval", "printf 'a\\0b\\n\\n'; echo said >&2; exit 3"),
            lambda: made.ask("eval", 'printf %s "$csf_again"; csf_data', data=b"x", again="only"),
        )
        assert made.link.shell
        assert made.link.shell.next_number() == 2
    assert found == (*(data, None, Answer(3, b"a\0b\n\n", b"said"), Answer(0, b"onlyx", b"")),)


def test_a_change_goes_behind_the_looks_of_other_steps(sshd: Sshd, tmp_path: Path) -> None:
    """What depends on a lock, or may go on after a signal, is a call of its own."""
    new = tmp_path / "new"
    with reached(sshd) as host:
        found = host.together(
            lambda: host.create(str(new), b"data"),
            lambda: host.read(str(tmp_path / "none")),
        )
    assert found == (None, None)
    assert new.read_bytes() == b"data"


def test_a_host_that_is_full_is_told_whichever_step_has_found_it(sshd: Sshd) -> None:
    """If the host cannot start a process for any of the steps, the error says so."""
    with reached(sshd) as host:
        assert isinstance(host, SshHost)
        made = host._connection
        with pytest.raises(HostUnreachable, match="could not start another process for us"):
            host.together(
                lambda: made.ask("true"),
                lambda: made.ask("eval", "echo 'sh: 0: Cannot fork' >&2"),
            )


def test_steps_ask_again_after_a_cut(sshd: Sshd, tmp_path: Path) -> None:
    """After a cut, all steps ask again within one new login."""
    for name in "abc":
        (tmp_path / name).write_text(name)
    with reached(sshd) as host:
        host.machine()
        assert sshd.cut()
        found = host.together(*[lambda n=name: host.read(str(tmp_path / n)) for name in "abc"])
    assert found == (b"a", b"b", b"c")


def test_a_cut_is_one_cut_however_many_steps_it_strikes(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step waits and connects again, and the others go on at once; users are told once."""
    told: list[str] = []
    paused: list[Trial] = []
    begun = tmp_path / "begun"
    monkeypatch.setattr(Trial, "pause", lambda trial: paused.append(trial))

    def strike() -> None:
        wait_for(begun.exists)
        sshd.cut()

    made = Connection("remote", sshd.command, Cancellation(), told.append)
    try:
        made.run("true")
        slow = functools.partial(made.ask, "eval", f"[ -e {begun} ] || {{ : >{begun}; sleep 60; }}")
        striker = threading.Thread(target=strike)
        striker.start()
        asked = made.together([slow, *[functools.partial(made.ask, "echo", "x")] * 11])
        striker.join()
        assert [one.result().output for one in asked] == [b"", *[b"x\n"] * 11]
    finally:
        made.close()
    assert [one.partition(" ")[2][:7] for one in told] == ["connect", "answers"]
    assert len(paused) == 1
