"""The load: many sockets of a chat in a process of its own, much cheaper than what it measures.

Reads a ``Plan`` as one line of JSON, connects, writes ``Connected``, waits for a line, and writes
``Found``; lines of progress between. What comes in is counted, never parsed; it runs on Linux
alone (epoll).
"""

import dataclasses
import json
import resource
import select
import socket
import statistics
import sys
import time
from collections import Counter
from typing import Any

from bench.clients import TAIL, Client
from bench.plans import Connected, Found, Plan, Seat
from bench.wire import DIALECTS, STAMP, STAMP_BYTES, frame, handshake, masked

CONNECT_SECONDS = 120
LATE_SECONDS = 10
"""What comes so long after the last send is late."""
QUIET_SECONDS = 10
"""What has not come once nothing has for so long is lost."""
DRAIN_SECONDS = 30
"""So long after the last send nobody waits any more, whatever still comes."""
GIVE_UP_SECONDS = 5
"""A sender that hears nothing for so long sends on: its messages were lost."""
BUFFER = 2**20


class Driver:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._dialect = DIALECTS[plan.dialect]
        self._ping_from = TAIL - self._dialect.ping[1] - 1
        """One that ended in the read before was answered then."""
        self._epoll = select.epoll()
        self._clients: list[Client] = []
        self._by_fd: dict[int, Client] = {}
        self._greeted = self._sent = self._delivered = self._late = 0
        self._due_in: Counter[str] = Counter()
        """By chat, the messages that each of its sockets is to get."""
        self._senders_of = Counter(plan.seats[number].chat for number in plan.senders)
        self._delays: list[int] = []
        self._now = self._heard_at = self._told_at = time.monotonic()
        self._buffer = bytearray(TAIL + BUFFER)
        self._room = memoryview(self._buffer)[TAIL:]

    # Connecting

    def connect(self) -> Connected:
        """All of them, each greeted. Raises ConnectionError where one is not."""
        cpu, began = time.process_time(), time.monotonic()
        for number, seat in enumerate(self.plan.seats):
            self._open(seat, self.plan.ports[number % len(self.plan.ports)])
            while number + 1 - self._greeted >= self._dialect.at_once:
                self._wait_for_greetings(began + CONNECT_SECONDS)
        while self._greeted < len(self.plan.seats):
            self._wait_for_greetings(began + CONNECT_SECONDS)
        for number in self.plan.senders:
            self._clients[number].frame = frame(self._dialect, self._clients[number].chat)
        for number in self.plan.watchers:
            self._clients[number].is_watcher = True
        return Connected(time.monotonic() - began, time.process_time() - cpu)

    def _wait_for_greetings(self, until: float) -> None:
        self._read_all(0.1)
        self._tell("connected", self._greeted)
        newest = self._clients[-self._dialect.at_once :]
        if self._now > until or not all(client.is_open for client in newest):
            raise ConnectionError(f"{self._greeted} of {len(self.plan.seats)} are connected")

    def _open(self, seat: Seat, port: int) -> None:
        connection = socket.create_connection((self.plan.host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(handshake(seat, self.plan.host, port))
        connection.setblocking(False)
        client = Client(connection, seat.chat)
        self._clients.append(client)
        self._by_fd[connection.fileno()] = client
        self._epoll.register(connection, select.EPOLLIN)

    # Reading

    def _read_all(self, timeout: float) -> list[Client]:
        """From all that have something. Those are returned."""
        ready = [self._by_fd[fd] for fd, _ in self._epoll.poll(timeout)]
        self._now = time.monotonic()
        for client in ready:
            self._read(client)
        return ready

    def _read(self, client: Client) -> None:
        buffer = self._buffer
        buffer[:TAIL] = client.tail
        try:
            size = client.connection.recv_into(self._room)
        except ConnectionError:
            size = 0
        if not size:
            client.is_open = False
            self._epoll.unregister(client.connection)
            return
        end = TAIL + size
        client.tail = buffer[size:end]
        if not client.is_greeted:
            self._look_for_greeting(client, end)
            return
        count = self._count(self._dialect.delivered, end)
        if count:
            client.delivered += count
            self._delivered += count
            self._heard_at = self._now
        if client.frame:
            self._take_answers(client, count, end)
        if client.is_watcher:
            self._take_delays(end)
        # For one byte it looks a hundred times as fast as for two.
        if buffer.find(self._dialect.ping[0], self._ping_from, end) >= 0:
            self._answer_ping(client, end)

    def _count(self, marker: bytes | None, end: int) -> int:
        """How many of these end in what was just read."""
        return self._buffer.count(marker, TAIL - len(marker) + 1, end) if marker else 0

    def _look_for_greeting(self, client: Client, end: int) -> None:
        if self._count(self._dialect.greeting, end):
            client.is_greeted = True
            self._greeted += 1

    def _take_answers(self, client: Client, delivered: int, end: int) -> None:
        if self._dialect.answered is None:
            answered, refused = delivered, 0
        else:
            answered = self._count(self._dialect.answered, end)
            refused = self._count(self._dialect.refused, end)
            client.unanswered -= answered + refused
        client.acknowledged += answered
        if refused:
            client.refused += refused
            self._due_in[client.chat] -= refused
        if answered or refused:
            client.heard_at = self._now

    def _take_delays(self, end: int) -> None:
        now = _microseconds()
        for stamp in STAMP.findall(self._buffer, TAIL - STAMP_BYTES + 1, end):
            self._delays.append(now - int(stamp))

    def _answer_ping(self, client: Client, end: int) -> None:
        """If there is one, and all of it."""
        ping, size = self._dialect.ping, self._dialect.ping[1]
        at = self._buffer.find(ping, self._ping_from, end - size)
        if at >= 0:
            payload = bytes(self._buffer[at + 2 : at + 2 + size])
            client.connection.sendall(masked(0x8A, payload))

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
        is_over = self._drain(sent_until)
        return self._found(began, sent_until, is_over, time.process_time() - cpu)

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
            self._tell("seconds", int(due - began))

    def _send_in_windows(self, began: float) -> None:
        senders = [self._clients[number] for number in self.plan.senders]
        for client in senders:
            client.heard_at = began
            self._fill(client)
        self._now = began
        while self._now < began + self.plan.seconds:
            for client in self._read_all(0.1):
                if client.frame:
                    self._fill(client)
            self._give_up(senders)
            self._tell("seconds", int(self._now - began))

    def _give_up(self, senders: list[Client]) -> None:
        for client in senders:
            if client.is_open and self._now > client.heard_at + GIVE_UP_SECONDS:
                client.heard_at, client.unanswered = self._now, 0
                client.given_up = self._due_in[client.chat] - client.delivered
                self._fill(client)

    def _fill(self, client: Client) -> None:
        """Sends what the window has room for."""
        window, chat = self.plan.window, client.chat
        undelivered = self._due_in[chat] - client.delivered - client.given_up
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
        client.connection.sendall(b"".join(frames))
        if self._dialect.answered:
            client.unanswered += count
        self._sent += count
        self._due_in[client.chat] += count

    # What was found

    def _drain(self, sent_until: float) -> bool:
        """Reads on while anything comes. Whether all is over, or nobody waits any more."""
        while self._missing():
            before = self._delivered
            self._read_all(0.05)
            if self._now > sent_until + LATE_SECONDS:
                self._late += self._delivered - before
            if self._now > max(self._heard_at, sent_until) + QUIET_SECONDS:
                return True
            if self._now > sent_until + DRAIN_SECONDS:
                return False
        return True

    def _missing(self) -> int:
        """How many deliveries are yet to come, over all sockets."""
        return sum(max(0, self._due_in[client.chat] - client.delivered) for client in self._clients)

    def _found(self, began: float, sent_until: float, is_over: bool, cpu: float) -> Found:
        delays = sorted(self._delays)
        missing, last = self._missing(), max(self._heard_at, sent_until)
        return Found(
            sent=self._sent,
            acknowledged=sum(client.acknowledged for client in self._clients),
            refused=sum(client.refused for client in self._clients),
            delivered=self._delivered,
            late=self._late + (0 if is_over else missing),
            lost=missing if is_over else 0,
            closed=sum(not client.is_open for client in self._clients),
            seconds=last - began,
            drained=last - sent_until,
            p50=statistics.median(delays) / 1000 if delays else 0,
            p99=delays[len(delays) * 99 // 100] / 1000 if delays else 0,
            cpu=cpu,
        )

    def _tell(self, what: str, count: int) -> None:
        """Now and then, how far it is."""
        if self._now > self._told_at + 0.2:
            self._told_at = self._now
            say({what: count})


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def _microseconds() -> int:
    return time.monotonic_ns() // 1000


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    given = json.loads(sys.stdin.readline())
    driver = Driver(Plan(**given | {"seats": [Seat(**seat) for seat in given["seats"]]}))
    try:
        say(dataclasses.asdict(driver.connect()))
        sys.stdin.readline()
        say(dataclasses.asdict(driver.run()))
    except OSError as error:
        say({"failed": str(error)})


if __name__ == "__main__":
    main()
