"""The part of the host protocol that carries out several steps at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable


_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_D = TypeVar("_D")
_E = TypeVar("_E")
_F = TypeVar("_F")
_G = TypeVar("_G")
_H = TypeVar("_H")


class Together(Protocol):
    """Carry out steps at once."""

    @overload
    def together(self, a: Callable[[], _A], b: Callable[[], _B], /) -> tuple[_A, _B]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        /,
    ) -> tuple[_A, _B, _C]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        /,
    ) -> tuple[_A, _B, _C, _D]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        /,
    ) -> tuple[_A, _B, _C, _D, _E]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        f: Callable[[], _F],
        /,
    ) -> tuple[_A, _B, _C, _D, _E, _F]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        f: Callable[[], _F],
        g: Callable[[], _G],
        /,
    ) -> tuple[_A, _B, _C, _D, _E, _F, _G]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        f: Callable[[], _F],
        g: Callable[[], _G],
        h: Callable[[], _H],
        /,
    ) -> tuple[_A, _B, _C, _D, _E, _F, _G, _H]: ...

    @overload
    def together(self, *steps: Callable[[], _A]) -> tuple[_A, ...]: ...

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        """Carry out steps that change nothing and do not depend on each other.

        On another host, all steps run at once, each in its own thread, so that together they take
        as many exchanges as the one that takes most. On this machine, they run one after another,
        and none begins after an error; only those that are `long_step.Long` begin at once, and run
        in parallel.

        Args:
            steps: each asks the host, once or several times; it may call `together`, too. None
                locks, starts or changes anything, with two exceptions: one may `sync`, and one may
                carry out steps `in_turn` whose results no other one looks at. They share nothing
                that they change.

        Returns:
            What each step has returned, in the order of the steps.

        Raises:
            Exception: the error of the first step, in their order, that failed.
        """
        ...
