"""The load of REST: some clients that each ask again as soon as they are answered.

A process of its own, with the manners of ``driver``: a ``RestPlan`` comes in, a ``RestFound``
goes out.
"""

import dataclasses
import json
import re
import select
import socket
import statistics
import sys
import time

from bench.driver import say
from bench.plans import Connected, RestFound, RestPlan

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
END = b"\r\n\r\n"
GOOD = (b"200", b"201")
PATIENCE_SECONDS = 120
"""So much longer it waits for the first answer."""


class Client:
    def __init__(self, plan: RestPlan, token: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", plan.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = _request(plan, token)
        self._received = b""
        self.asked_at = 0.0

    def ask(self) -> None:
        self.asked_at, self._received = time.monotonic(), b""
        self.socket.sendall(self._request)

    def read(self) -> bytes | None:
        """The status once the whole answer is there. Raises ConnectionError where it is cut."""
        part = self.socket.recv(2**18)
        if not part:
            raise ConnectionError("the server has closed a connection")
        self._received += part
        head = self._received.find(END)
        length = LENGTH.search(self._received, 0, head) if head >= 0 else None
        if length is None or len(self._received) < head + len(END) + int(length[1]):
            return None
        return self._received[9:12]


def _request(plan: RestPlan, token: str) -> bytes:
    lines = [
        f"{'POST' if plan.body else 'GET'} {plan.path} HTTP/1.1",
        f"Host: 127.0.0.1:{plan.port}",
        f"Authorization: Bearer {token}",
    ]
    if plan.body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(plan.body.encode())}"]
    return "\r\n".join([*lines, "", plan.body]).encode()


def run(plan: RestPlan, clients: list[Client]) -> RestFound:
    by_fd = {client.socket.fileno(): client for client in clients}
    epoll = select.epoll()
    for fd, client in by_fd.items():
        epoll.register(fd, select.EPOLLIN)
        client.ask()
    cpu, now = time.process_time(), time.monotonic()
    began, until = now, now + plan.seconds
    delays: list[float] = []
    refused = 0
    while now < until or (not delays and now < until + PATIENCE_SECONDS):
        for fd, _ in epoll.poll(0.1):
            status = by_fd[fd].read()
            if status:
                delays.append(time.monotonic() - by_fd[fd].asked_at)
                refused += status not in GOOD
                by_fd[fd].ask()
        now = time.monotonic()
    if not delays:
        raise ConnectionError("nothing was answered")
    delays.sort()
    return RestFound(
        answered=len(delays) - refused,
        refused=refused,
        seconds=now - began,
        p50=statistics.median(delays) * 1000,
        p99=delays[len(delays) * 99 // 100] * 1000,
        cpu=time.process_time() - cpu,
    )


def main() -> None:
    plan = RestPlan(**json.loads(sys.stdin.readline()))
    cpu, began = time.process_time(), time.monotonic()
    clients = [Client(plan, token) for token in plan.tokens]
    took = Connected(time.monotonic() - began, time.process_time() - cpu)
    say(dataclasses.asdict(took))
    sys.stdin.readline()
    try:
        say(dataclasses.asdict(run(plan, clients)))
    except OSError as error:
        say({"failed": str(error)})


if __name__ == "__main__":
    main()
