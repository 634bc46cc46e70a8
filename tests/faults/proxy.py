"""A TCP proxy that fails on command, to stand before a server or before its database."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

#: Decides how many bytes of a piece go on, given the piece and how many bytes of its direction went before it. Fewer than
#: all of them means that the connection is then cut.
Rule = Callable[[bytes, int], int]


def passing(piece: bytes, before: int) -> int:
    """Let everything through."""
    return len(piece)


def up_to(limit: int) -> Rule:
    """Let ``limit`` bytes of a connection through, then cut it."""
    return lambda piece, before: max(0, min(len(piece), limit - before))


def until(text: bytes) -> Rule:
    """Cut a connection before the piece in which ``text`` comes."""
    return lambda piece, before: 0 if text in piece else len(piece)


class Proxy:
    """Passes connections on to ``target``: a port of the loopback interface, or the path of a Unix socket.

    ``request`` and ``answer`` are the rules for the two directions; both may be changed at any time, for new connections
    and open ones. ``cuts`` counts the connections that a rule has cut.
    """

    def __init__(self, target: int | str) -> None:
        self._target = target
        self.request: Rule = passing
        self.answer: Rule = passing
        self.cuts = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port = 0
        self._listener: socket.socket | None = None
        self.accept()

    def accept(self) -> None:
        """Take connections, on the same port as before."""
        listener = socket.socket()
        # Without it a port with connections in TIME_WAIT cannot be taken again.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    def refuse(self) -> None:
        """Cut what is open and refuse what is new, as a server does that is not running."""
        if self._listener is not None:
            # It wakes the thread that accepts; closing alone does not.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for end in self._open:
                _cut(end)

    def heal(self) -> None:
        """Let everything through again."""
        self.request = self.answer = passing
        if self._listener is None:
            self.accept()

    def _listen(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = self._dial()
        except OSError:
            _cut(client)
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        back = threading.Thread(target=self._pump, args=(server, client, "answer"), daemon=True)
        back.start()
        self._pump(client, server, "request")
        back.join()
        with self._lock:
            self._open -= {client, server}
            client.close()
            server.close()

    def _dial(self) -> socket.socket:
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target), timeout=None)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self._target)
        except OSError:
            server.close()
            raise
        return server

    def _pump(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        before = 0
        with suppress(OSError):
            while piece := source.recv(65536):
                rule: Rule = getattr(self, direction)
                allowed = rule(piece, before)
                sink.sendall(piece[:allowed])
                before += allowed
                if allowed < len(piece):
                    self.cuts += 1
                    break
            else:
                # A plain end: the other direction may still have something to say.
                sink.shutdown(socket.SHUT_WR)
                return
        _cut(source)
        _cut(sink)


def _cut(end: socket.socket) -> None:
    """End a connection in both directions, which also wakes the thread that reads from it."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(target: int | str) -> Iterator[Proxy]:
    """Run a proxy until the block ends."""
    running = Proxy(target)
    try:
        yield running
    finally:
        running.refuse()
