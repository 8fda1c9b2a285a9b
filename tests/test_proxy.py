"""The network of the tests: it delays without reducing the rate, and is struck at a byte."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from proxy import NEVER, Proxy, Strike, Way, act, cut, drop, stall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOMENT = 0.3  # seconds to wait to see that nothing comes
AT_LAST = 60.0  # seconds after which everything has come on the slowest machine


@pytest.fixture
def echo() -> Iterator[int]:
    """Return the port of an echo server."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            while data := client.recv(1000):
                client.sendall(data)

    def accept() -> None:
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def check_answer(proxy: Proxy, data: bytes, answer: bytes, *, is_over: bool = False) -> None:
    """Send data; check how much comes back, and then the end, or nothing."""
    with socket.create_connection(("127.0.0.1", proxy.port)) as client:
        client.settimeout(AT_LAST)
        client.sendall(data)
        came = b""
        while len(came) < len(answer):
            more = client.recv(1000)
            assert more
            came += more
        assert came == answer
        if is_over:
            assert is_at_end(client)
        elif answer != data:
            client.settimeout(MOMENT)
            with pytest.raises(TimeoutError):
                client.recv(1)


def is_at_end(client: socket.socket) -> bool:
    """Wait for what comes; tell whether it is the end."""
    try:
        return not client.recv(1)
    except ConnectionError:
        return True


def test_every_byte_is_late_and_none_waits_for_another(echo: int) -> None:
    """Many small messages take as long as one, once there is a connection."""
    with (
        Proxy(echo, 0.2) as proxy,
        socket.create_connection(("127.0.0.1", proxy.port)) as client,
    ):
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        began = time.monotonic()
        for _ in range(100):
            client.sendall(b"x" * 10)
            time.sleep(0.001)
        came = 0
        while came < 1000:
            came += len(client.recv(1000))
        assert 0.4 <= time.monotonic() - began < 20  # one after another would take 40 s


@pytest.mark.parametrize(
    ("strike", "came", "is_over"),
    [
        (NEVER, b"0123456789", False),
        (cut(6), b"", True),
        (stall(6), b"", False),
        (stall(12), b"01", False),
        (drop(12, Way.DOWN), b"01", False),
        (drop(6, Way.UP), b"012345", False),
        (act(6, lambda: None), b"0123456789", False),
    ],
)
def test_a_strike_comes_at_its_byte(
    echo: int,
    strike: Strike,
    came: bytes,
    is_over: bool,  # noqa: FBT001
) -> None:
    """No further byte arrives; later connections are not affected."""
    with Proxy(echo) as proxy:
        proxy.arm(strike)
        check_answer(proxy, b"0123456789", came, is_over=is_over)
        if strike is NEVER:
            assert not proxy.struck.is_set()
        else:
            assert proxy.struck.wait(AT_LAST)
            check_answer(proxy, b"again", b"again")


@pytest.mark.parametrize("make", [cut, stall])
def test_a_strike_comes_when_it_is_told(echo: int, make: Callable[[int], Strike]) -> None:
    """It affects all existing connections."""
    with Proxy(echo) as proxy:
        proxy.arm(make(1 << 60))
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            proxy.strike_now()
            if make is cut:
                client.settimeout(AT_LAST)
                assert is_at_end(client)
            else:
                client.settimeout(MOMENT)
                client.sendall(b"y")
                with pytest.raises(TimeoutError):
                    client.recv(1)
