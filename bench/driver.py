"""The load: many sockets of a chat in a process of its own, much cheaper than what it measures.

Reads a ``Plan`` as one line of JSON, connects, writes a line, waits for one, and writes a
``Found``. What comes in is counted, never parsed; it runs on Linux alone (epoll).
"""

import base64
import dataclasses
import json
import re
import select
import socket
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

AT_ONCE = 200
"""Handshakes under way."""
CONNECT_SECONDS = 120
DRAIN_SECONDS = 10
"""What has not come so long after the last send is lost."""
GIVE_UP_SECONDS = 5
"""A sender that hears nothing for so long sends on: its messages were lost."""
BUFFER = 2**20
STAMP = re.compile(rb"sentat(\d{16})")
"""In each message: when it was sent, in microseconds of this process's clock."""
STAMP_BYTES = 22
PING, PING_BYTES = b"\x89\x04", 6
"""uvicorn's; in text frames of ASCII these two bytes never follow each other."""
TAIL = 32
"""Bytes of the last read that are looked at again: what is searched for may lie across two."""
WORDS = " the boats leave at nine from the lower landing and come back before it is dark again"


class Dialect(NamedTuple):
    """How one of the two servers is talked to.

    ``greeting`` ends connecting, ``delivered`` is in each message that comes, ``answered`` in each
    answer to a sender; without those, messages that come to senders count. ``frame`` takes the
    numbers ``at`` and ``number``.
    """

    greeting: bytes
    delivered: bytes
    answered: bytes | None
    frame: str


DIALECTS = {
    "product": Dialect(
        greeting=b'"type":"hello"',
        delivered=b'"type":"message.created"',
        answered=b'{"type":"ok","ref":"sent"',
        frame='{"type":"message.send","ref":"sent","chat_id":"CHAT",'
        '"client_id":"%(at)016d-%(number)08d","content":"sentat%(at)016dWORDS"}',
    ),
    "baseline": Dialect(
        greeting=b"\r\n\r\n",
        delivered=b'{"message": "',
        answered=None,
        frame='{"message":"sentat%(at)016dWORDS"}',
    ),
}


@dataclass
class Seat:
    """A socket: where it connects, as whom, and the chat that it writes to and counts."""

    path: str
    chat: str
    token: str = ""


@dataclass
class Plan:
    """``senders`` and ``watchers``, whose delays are taken, are indices of ``seats``.

    Either each sender has up to ``window`` messages without an answer, and so many times the
    senders of a chat are without a delivery; or they take turns at ``pace`` messages a second in
    all. Without senders, it listens.
    """

    port: int
    dialect: str
    seats: list[Seat]
    seconds: float
    senders: list[int] = field(default_factory=list)
    watchers: list[int] = field(default_factory=list)
    window: int = 0
    pace: float = 0


@dataclass
class Found:
    """``seconds`` lie between the first send and the last delivery; the delays are in ms."""

    sent: int
    acknowledged: int
    delivered: int
    lost: int
    closed: int
    seconds: float
    p50: float
    p99: float
    cpu: float


class Client:
    __slots__ = (
        "acknowledged",
        "chat",
        "delivered",
        "frame",
        "given_up",
        "heard_at",
        "is_greeted",
        "is_open",
        "is_watcher",
        "socket",
        "tail",
        "unanswered",
    )

    def __init__(self, connection: socket.socket, chat: str) -> None:
        self.socket, self.chat = connection, chat
        self.tail = bytearray(TAIL)
        self.is_greeted, self.is_open, self.is_watcher = False, True, False
        self.delivered = self.acknowledged = self.unanswered = self.given_up = 0
        self.heard_at = 0.0
        self.frame: bytes | None = None
        """Of senders alone."""


class Driver:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._dialect = DIALECTS[plan.dialect]
        self._epoll = select.epoll()
        self._clients: list[Client] = []
        self._by_fd: dict[int, Client] = {}
        self._greeted = self._sent = 0
        self._sent_to: Counter[str] = Counter()
        self._senders_of = Counter(plan.seats[number].chat for number in plan.senders)
        self._delays: list[int] = []
        self._heard_at = 0.0
        self._buffer = bytearray(TAIL + BUFFER)
        self._room = memoryview(self._buffer)[TAIL:]

    # Connecting

    def connect(self) -> None:
        """All of them, each greeted. Raises ConnectionError where one is not."""
        until = time.monotonic() + CONNECT_SECONDS
        for number, seat in enumerate(self.plan.seats):
            self._open(seat)
            while number + 1 - self._greeted >= AT_ONCE:
                self._poll(until)
        while self._greeted < len(self.plan.seats):
            self._poll(until)
        for number in self.plan.senders:
            self._clients[number].frame = _frame(self._dialect, self._clients[number].chat)
        for number in self.plan.watchers:
            self._clients[number].is_watcher = True

    def _poll(self, until: float) -> None:
        self._read_all(0.1)
        if time.monotonic() > until or not all(one.is_open for one in self._clients[-AT_ONCE:]):
            raise ConnectionError(f"{self._greeted} of {len(self.plan.seats)} are connected")

    def _open(self, seat: Seat) -> None:
        connection = socket.create_connection(("127.0.0.1", self.plan.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_handshake(seat, self.plan.port))
        connection.setblocking(False)
        client = Client(connection, seat.chat)
        self._clients.append(client)
        self._by_fd[connection.fileno()] = client
        self._epoll.register(connection, select.EPOLLIN)

    # Reading

    def _read_all(self, timeout: float) -> None:
        for fd, _ in self._epoll.poll(timeout):
            self._read(self._by_fd[fd])

    def _read(self, client: Client) -> None:
        buffer = self._buffer
        buffer[:TAIL] = client.tail
        try:
            size = client.socket.recv_into(self._room)
        except ConnectionError:
            size = 0
        if not size:
            client.is_open = False
            self._epoll.unregister(client.socket)
            return
        end = TAIL + size
        client.tail = buffer[size:end]
        if not client.is_greeted:
            self._look_for_greeting(client, end)
            return
        count = self._count(self._dialect.delivered, end)
        client.delivered += count
        if client.frame:
            answered = self._dialect.answered
            self._answered(client, self._count(answered, end) if answered else count)
        if client.is_watcher:
            self._take_delays(end)
        if buffer.find(PING, TAIL - PING_BYTES + 1, end - PING_BYTES + 2) >= 0:
            self._answer_ping(client, end)

    def _count(self, marker: bytes, end: int) -> int:
        """How many of these end in what was just read."""
        return self._buffer.count(marker, TAIL - len(marker) + 1, end)

    def _look_for_greeting(self, client: Client, end: int) -> None:
        if self._count(self._dialect.greeting, end):
            client.is_greeted = True
            self._greeted += 1

    def _answered(self, client: Client, count: int) -> None:
        client.acknowledged += count
        if self._dialect.answered:
            client.unanswered -= count
        if count:
            client.heard_at = self._heard_at

    def _take_delays(self, end: int) -> None:
        now = _microseconds()
        for stamp in STAMP.findall(self._buffer, TAIL - STAMP_BYTES + 1, end):
            self._delays.append(now - int(stamp))

    def _answer_ping(self, client: Client, end: int) -> None:
        at = self._buffer.find(PING, TAIL - PING_BYTES + 1, end)
        payload = bytes(self._buffer[at + 2 : at + PING_BYTES])
        client.socket.sendall(_masked(0x8A, payload))

    # Sending

    def run(self) -> Found:
        cpu, began = time.process_time(), time.monotonic()
        self._heard_at = began
        if self.plan.pace:
            self._send_at_pace(began)
        elif self.plan.senders:
            self._send_in_windows(began)
        else:
            self._listen(began + self.plan.seconds)
        sent_until = time.monotonic()
        while self._missing() and time.monotonic() < sent_until + DRAIN_SECONDS:
            before = sum(client.delivered for client in self._clients)
            self._read_all(0.05)
            if sum(client.delivered for client in self._clients) > before:
                self._heard_at = time.monotonic()
        return self._found(max(self._heard_at, sent_until) - began, time.process_time() - cpu)

    def _listen(self, until: float) -> None:
        while (now := time.monotonic()) < until:
            self._read_all(min(1, until - now))

    def _send_at_pace(self, began: float) -> None:
        senders = [self._clients[number] for number in self.plan.senders]
        for turn in range(int(self.plan.pace * self.plan.seconds)):
            due = began + turn / self.plan.pace
            while (now := time.monotonic()) < due:
                self._read_all(due - now)
            self._read_all(0)
            self._send(senders[turn % len(senders)], 1)

    def _send_in_windows(self, began: float) -> None:
        senders = [self._clients[number] for number in self.plan.senders]
        for client in senders:
            client.heard_at = began
            self._fill(client)
        while self._heard_at < began + self.plan.seconds:
            for fd, _ in self._epoll.poll(0.1):
                client = self._by_fd[fd]
                self._read(client)
                if client.frame:
                    self._fill(client)
            self._heard_at = time.monotonic()
            self._give_up(senders)

    def _give_up(self, senders: list[Client]) -> None:
        for client in senders:
            if client.is_open and self._heard_at > client.heard_at + GIVE_UP_SECONDS:
                client.heard_at, client.unanswered = self._heard_at, 0
                client.given_up = self._sent_to[client.chat] - client.delivered
                self._fill(client)

    def _fill(self, client: Client) -> None:
        """Sends what the window has room for."""
        window, chat = self.plan.window, client.chat
        undelivered = self._sent_to[chat] - client.delivered - client.given_up
        room = min(window, window * self._senders_of[chat] - undelivered)
        if self._dialect.answered:
            room = min(room, window - client.unanswered)
        if room > 0:
            self._send(client, room)

    def _send(self, client: Client, count: int) -> None:
        if not client.is_open or client.frame is None:
            return
        at, first = _microseconds(), self._sent
        frames = [client.frame % {b"at": at, b"number": first + one} for one in range(count)]
        client.socket.sendall(b"".join(frames))
        if self._dialect.answered:
            client.unanswered += count
        self._sent += count
        self._sent_to[client.chat] += count

    # What was found

    def _missing(self) -> int:
        """How many deliveries are yet to come, over all sockets."""
        return sum(
            max(0, self._sent_to[client.chat] - client.delivered) for client in self._clients
        )

    def _found(self, seconds: float, cpu: float) -> Found:
        delays = sorted(self._delays)
        return Found(
            sent=self._sent,
            acknowledged=sum(client.acknowledged for client in self._clients),
            delivered=sum(client.delivered for client in self._clients),
            lost=self._missing(),
            closed=sum(not client.is_open for client in self._clients),
            seconds=seconds,
            p50=statistics.median(delays) / 1000 if delays else 0,
            p99=delays[len(delays) * 99 // 100] / 1000 if delays else 0,
            cpu=cpu,
        )


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


def _handshake(seat: Seat, port: int) -> bytes:
    lines = [
        f"GET {seat.path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if seat.token:
        lines.append(f"Authorization: Bearer {seat.token}")
    return "\r\n".join([*lines, "", ""]).encode()


def _frame(dialect: Dialect, chat: str) -> bytes:
    """A client's frame, whole but for its numbers, which are of a fixed length."""
    text = dialect.frame.replace("CHAT", chat).replace("WORDS", WORDS)
    size = len((text % {"at": 0, "number": 0}).encode())
    head = _masked(0x81, bytes(size))[:-size]
    return head.replace(b"%", b"%%") + text.encode()


def _masked(first: int, payload: bytes) -> bytes:
    """With a mask of zeros, which is no work here and as much as any other for the server."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([first]) + length + bytes(4) + payload


def main() -> None:
    given = json.loads(sys.stdin.readline())
    driver = Driver(Plan(**given | {"seats": [Seat(**seat) for seat in given["seats"]]}))
    driver.connect()
    print("connected", flush=True)
    sys.stdin.readline()
    print(json.dumps(dataclasses.asdict(driver.run())), flush=True)


if __name__ == "__main__":
    main()
