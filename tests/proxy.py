"""A network between ssh and sshd: slow if necessary, and disturbed once, at a chosen byte."""

from __future__ import annotations

import contextlib
import enum
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_CHUNK = 1 << 16  # bytes per read
_HANDSHAKE = 3  # one-way delays until a connection is open: SYN, SYN and ACK, ACK


class Way(enum.IntEnum):
    """A direction of a connection."""

    UP = 0  # from client to server
    DOWN = 1


class Strike(NamedTuple):
    """What happens to a connection at a byte.

    Attributes:
        after: the bytes that pass before it, in both directions and on all connections together.
        lost: the directions in which nothing arrives any more.
        reads: whether data in the lost directions is read and dropped; if not, it is not read.
        cuts: whether the connection is closed for both ends.
        act: called before the next byte passes.
    """

    after: int
    lost: frozenset[Way] = frozenset()
    reads: bool = False
    cuts: bool = False
    act: Callable[[], object] | None = None


BOTH = frozenset(Way)
FAR_END = 1 << 60  # bytes, more than any connection exchanges
NEVER = Strike(FAR_END)


def cut(after: int) -> Strike:
    """Return a strike that ends a connection."""
    return Strike(after, BOTH, cuts=True)


def stall(after: int) -> Strike:
    """Return a strike after which nothing is forwarded, while both sockets stay open."""
    return Strike(after, BOTH)


def drop(after: int, *ways: Way) -> Strike:
    """Return a strike after which all data in these directions is lost."""
    return Strike(after, frozenset(ways), reads=True)


def act(after: int, what: Callable[[], object]) -> Strike:
    """Return a strike that calls a function, and does not change the connection."""
    return Strike(after, act=what)


class Proxy:
    """A proxy on a free port of the loopback, as a context manager.

    Args:
        port: the server's port on the loopback.
        delay: the delay in each direction, in seconds; it also applies to TCP's handshake.

    Attributes:
        port: the port on which the proxy listens.
        strike: the strike for the connection that the byte belongs to; later connections are not
            affected.
        struck: set when the strike has happened.
    """

    def __init__(self, port: int, delay: float = 0.0) -> None:
        self._server = port
        self.delay = delay
        self.strike: Strike | None = None
        self.struck = threading.Event()
        self.passed = {Way.UP: 0, Way.DOWN: 0}
        self._lock = threading.Lock()
        self._connections: list[_Connection] = []
        self._over = threading.Event()

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        _end(self._listener)
        with self._lock:
            for connection in self._connections:
                connection.end()

    @property
    def total(self) -> int:
        """The number of bytes that have passed in both directions."""
        return sum(self.passed.values())

    def arm(self, strike: Strike) -> None:
        """Set the strike, and count its bytes from now on."""
        with self._lock:
            self.passed = {Way.UP: 0, Way.DOWN: 0}
            self.struck.clear()
            self.strike = strike

    def strike_now(self) -> None:
        """Strike all connections, unless the strike has already happened."""
        with self._lock:
            if self.strike and not self.struck.is_set():
                self.struck.set()
                if self.strike.act:
                    self.strike.act()
                for connection in self._connections:
                    connection.suffer(self.strike)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        accepted = time.monotonic()
        self._over.wait(_HANDSHAKE * self.delay)
        try:
            server = socket.create_connection(("127.0.0.1", self._server))
        except OSError:
            client.close()
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(self, client, server, accepted + _HANDSHAKE * self.delay)
        with self._lock:
            self._connections.append(connection)
        for way in Way:
            for work in (connection.read, connection.write):
                threading.Thread(target=work, args=(way,), daemon=True).start()

    def take(self, connection: _Connection, way: Way, data: bytes) -> bytes:
        """Count the bytes that were read; return those to be delivered."""
        with self._lock:
            arrives = b"" if way in connection.lost else data
            strike = self.strike
            if strike and not self.struck.is_set() and self.total + len(data) > strike.after:
                self.struck.set()
                if strike.act:
                    strike.act()
                if way in strike.lost:
                    arrives = data[: strike.after - self.total]
                connection.suffer(strike)
            self.passed[way] += len(data)
        return arrives


class _Connection:
    """A connection through the proxy."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket, begins: float
    ) -> None:
        self._proxy = proxy
        self._from = {Way.UP: client, Way.DOWN: server}
        self._to = {Way.UP: server, Way.DOWN: client}
        self._begins = begins
        self._reads = True
        self._queues: dict[Way, queue.SimpleQueue[tuple[float, bytes]]] = {
            way: queue.SimpleQueue() for way in Way
        }
        self.lost: frozenset[Way] = frozenset()

    def suffer(self, strike: Strike) -> None:
        """Carry out the strike."""
        self.lost, self._reads = strike.lost, strike.reads
        if strike.cuts:
            self.end()

    def end(self) -> None:
        """End the connection for both sides."""
        for each in self._from.values():
            _end(each)

    def read(self, way: Way) -> None:
        """Read the data, and queue it with its time; a lost direction also loses its end."""
        data, due = b".", self._begins  # the client's first bytes were sent during the handshake
        while data and (self._reads or way not in self.lost):
            try:
                data = self._from[way].recv(_CHUNK)
            except OSError:
                data = b""
            if way is Way.DOWN or time.monotonic() > self._begins + self._proxy.delay:
                due = time.monotonic() + self._proxy.delay
            arrives = self._proxy.take(self, way, data) if data else data
            if arrives or (not data and way not in self.lost):
                self._queues[way].put((due, arrives))

    def write(self, way: Way) -> None:
        """Deliver each chunk when its time has come."""
        data = b"."
        while data:
            due, data = self._queues[way].get()
            time.sleep(max(0.0, due - time.monotonic()))
            with contextlib.suppress(OSError):
                if data:
                    self._to[way].sendall(data)
                else:
                    self._to[way].shutdown(socket.SHUT_WR)


def _end(one: socket.socket) -> None:
    """Close a socket, even if a thread is waiting on it."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
