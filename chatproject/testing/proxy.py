"""A network that can fail: what stands between browsers and a server, as a test likes."""

import contextlib
import socket
import threading
import time

from chatproject.testing.services import free_port


class Proxy:
    """Passes bytes on from a port of its own. Browsers have to be told of that one."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.delay = 0.0
        """Seconds that every answer takes longer."""
        self.loses_answers = False
        """What is asked arrives, but nothing comes back."""
        self._target = 0
        self._sockets: list[socket.socket] = []
        self._swallowed: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def start(self, target_port: int) -> None:
        self._target = target_port
        self.mend()

    def cut(self) -> None:
        """Every connection breaks, and there are no new ones."""
        if self._listener:
            # A thread that waits in accept holds the port even when it is closed.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self._listener = None
        self.break_all()

    def mend(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self._listener, self.loses_answers, self.delay = listener, False, 0.0
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def break_all(self) -> None:
        """New connections are possible at once. Who passes bytes closes what they came from."""
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def swallow(self) -> set[int]:
        """Nothing passes any more, as over a cable that was pulled, but over new connections.

        Returns the ports from which those that are swallowed reach the server.
        """
        sockets, self._sockets = self._sockets, []
        self._swallowed.update(sockets)
        return {one.getsockname()[1] for one in sockets[1::2] if one.fileno() >= 0}

    def end(self) -> None:
        self.cut()
        for one in self._swallowed:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                try:
                    far = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    near.close()
                else:
                    self._join(near, far)

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        self._sockets += [near, far]
        threading.Thread(target=self._pass, args=[near, far, False], daemon=True).start()
        threading.Thread(target=self._pass, args=[far, near, True], daemon=True).start()

    def _pass(self, here: socket.socket, there: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(65_536):
                if is_answer and self.delay:
                    time.sleep(self.delay)
                if here in self._swallowed:
                    return  # open, and read no more: what the other side sends fills its buffers
                if not (is_answer and self.loses_answers):
                    there.sendall(data)
        if here not in self._swallowed:
            with contextlib.suppress(OSError):
                there.shutdown(socket.SHUT_RDWR)
        here.close()
