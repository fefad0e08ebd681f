"""What is measured: the product, the tutorial's chat and one on Node, on the same services."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import django
import psycopg
from django.core.management import call_command

from bench.plans import Chats, Made, Seat
from bench.processes import cpu_seconds
from chatproject.testing.services import PostgresServer, RedisServer
from chatproject.testing.stage import ROOT, Server

QUIET = 0.03
"""Of a second: who uses less in half of one has nothing left to do."""
QUIET_SECONDS = 60


class Other(Server):
    """Not the product's: it is ready once it listens."""

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


class TutorialServer(Other):
    """The tutorial's chat under daphne."""

    def command(self) -> list[str]:
        address = ["-b", "127.0.0.1", "-p", str(self.port)]
        application = "bench.tutorial.asgi:application"
        return [sys.executable, "-m", "daphne", "-v", "0", *address, application]

    def start(self) -> None:
        migrate = [sys.executable, "manage.py", "migrate", "--run-syncdb", "-v", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.inherited(), check=True)
        super().start()


class NodeServer(Other):
    def command(self) -> list[str]:
        return [os.environ["NODE"], "bench/node/server.js"]


class System:
    """Servers, and by name the first processes of what they stand on."""

    name: str

    def __init__(self, server: Server, services: dict[str, int]) -> None:
        self.servers, self._services = [server], services

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.servers]

    def seats(self, people: int, chats: Chats) -> list[Seat]:
        """One for each of these people, in the first chat that they are in."""
        raise NotImplementedError

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time used so far."""
        used = {"server": sum(cpu_seconds(server.process.pid) for server in self.servers)}
        return used | {name: cpu_seconds(pid) for name, pid in self._services.items()}

    def mebibytes(self) -> float:
        return sum(server.mebibytes() for server in self.servers)

    def start(self) -> None:
        for server in self.servers:
            server.start()

    def stop(self) -> None:
        for server in self.servers:
            server.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def wait_until_quiet(self) -> None:
        _wait_until_quiet([self])


class Product(System):
    name = "product"

    def seats(self, people: int, chats: Chats) -> list[Seat]:
        made = self.made(people, chats)
        return [
            Seat("/ws", made.chat_ids[first], token)
            for token, first in zip(made.tokens, _first_chats(people, chats), strict=True)
        ]

    @cache  # noqa: B019 there is one of these
    def made(self, people: int, chats: Chats, messages: int = 0) -> Made:
        """The same rows for every round; each chat has so many messages in the beginning."""
        from bench.rows import make

        return make(people, chats, messages)

    @contextmanager
    def changed(self, servers: int = 1, **environment: str) -> Iterator[None]:
        """So many servers with other settings in the place of the usual one, for a while."""
        usual = self.servers
        self.stop()
        self.servers = [Server(**environment) for _ in range(servers)]
        try:
            self.start()
            yield
        finally:
            self.stop()
            self.servers = usual
            self.start()


class Tutorial(System):
    name = "tutorial"

    def seats(self, people: int, chats: Chats) -> list[Seat]:
        """Nobody signs in there, and rooms are not made."""
        firsts = _first_chats(people, chats)
        return [Seat(f"/ws/chat/room{chat}/", f"room{chat}") for chat in firsts]


class Node(Tutorial):
    name = "node"


def _wait_until_quiet(systems: list[System]) -> None:
    """Until they have nothing left to do, or a while at most."""
    until, before = time.monotonic() + QUIET_SECONDS, -1.0
    now = _cpu_of_all(systems)
    while now - before > QUIET and time.monotonic() < until:
        time.sleep(0.5)
        before, now = now, _cpu_of_all(systems)


def _cpu_of_all(systems: list[System]) -> float:
    """Services count several times, which is none too many."""
    return sum(sum(system.cpu().values()) for system in systems)


def _signal_all(systems: list[System], what: signal.Signals) -> None:
    for server in (server for system in systems for server in system.servers):
        os.killpg(server.process.pid, what)


def _first_chats(people: int, chats: Chats) -> list[int]:
    firsts: defaultdict[int, int] = defaultdict(int)
    for number in reversed(range(len(chats))):
        firsts |= dict.fromkeys(chats[number], number)
    return [firsts[person] for person in range(people)]


class Bench:
    """All that is measured, ready to be connected to, and this process on the product's database.

    ``largest`` is the most messages of which an installation is made.
    """

    def __init__(self, profile: str, largest: int, stack: ExitStack) -> None:
        self.profile, self.largest, self._stack = profile, largest, stack
        self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-bench-")))
        self._postgres: PostgresServer | None = None
        self._services: dict[str, int] = {}
        if profile == "services":
            self._start_services()
        django.setup()
        call_command("migrate", verbosity=0, interactive=False)
        self.product = Product(Server(), self._services)
        self.systems = [self.product, self._tutorial(), *self._node()]
        for system in self.systems:
            system.start()
            stack.callback(system.stop)

    def named(self, names: tuple[str, ...]) -> list[System]:
        """Those of them that are here."""
        return [system for system in self.systems if system.name in names]

    def wait_until_quiet(self) -> None:
        _wait_until_quiet(self.systems)

    @contextmanager
    def alone(self, system: System) -> Iterator[None]:
        """The others are suspended meanwhile: what they ask of the services is not its cost."""
        self.wait_until_quiet()
        others = [one for one in self.systems if one is not system]
        try:
            _signal_all(others, signal.SIGSTOP)
            yield
        finally:
            _signal_all(others, signal.SIGCONT)

    def installation(self, name: str) -> dict[str, str]:
        """The environment of an empty one beside the product's."""
        folder = self._folder / name
        folder.mkdir()
        key = f"of the installation {name}, which is to be measured"
        return {
            "DATA_DIR": str(folder),
            "DATABASE_URL": self._database(name),
            "SECRET_KEY": key,
        }

    def serve(self, environment: dict[str, str]) -> System:
        """The product on another installation, until the end."""
        system = Product(Server(**environment), self._services)
        system.start()
        self._stack.callback(system.stop)
        return system

    def _start_services(self) -> None:
        # Unlike in tests, what is acknowledged is on disk.
        self._postgres = PostgresServer(fsync="on", synchronous_commit="on", max_wal_size="4GB")
        redis = RedisServer()
        self._postgres.start()
        self._stack.callback(self._postgres.kill)
        redis.start()
        self._stack.callback(redis.kill)
        self._services = {"database": self._postgres.pid, "redis": redis.pid}
        os.environ |= {"DATABASE_URL": self._postgres.url, "REDIS_URL": redis.url, "WORKERS": "1"}

    def _database(self, name: str) -> str:
        if self._postgres is None:
            return f"sqlite:///{self._folder}/{name}.sqlite3"
        with psycopg.connect(self._postgres.url, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"{self._postgres.url.rpartition('/')[0]}/{name}"

    def _tutorial(self) -> System:
        theirs = {"DATABASE_URL": self._database("tutorial")}
        theirs["DJANGO_SETTINGS_MODULE"] = "bench.tutorial.settings"
        return Tutorial(TutorialServer(**theirs), self._services)

    def _node(self) -> list[System]:
        """None where it cannot be: bin/bench has said why."""
        if self._postgres is None or not os.environ.get("NODE"):
            return []
        return [Node(NodeServer(DATABASE_URL=self._database("node")), self._services)]
