"""What is measured: the product and the tutorial's chat, on the same PostgreSQL and Redis."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import NamedTuple

import django
import psycopg
from django.core.management import call_command

from bench.driver import Seat
from bench.processes import cpu_seconds
from chatproject.testing.services import PostgresServer, RedisServer
from chatproject.testing.stage import ROOT, Server

QUIET = 0.05
"""Of a second: who uses less in one has nothing left to do."""
QUIET_SECONDS = 60

Chats = tuple[Sequence[int], ...]
"""Who is in each chat, by number."""


class Made(NamedTuple):
    """Access tokens by person, and ids by chat."""

    tokens: list[str]
    chat_ids: list[str]


class TutorialServer(Server):
    """The tutorial's chat under daphne."""

    def command(self) -> list[str]:
        address = ["-b", "127.0.0.1", "-p", str(self.port)]
        application = "bench.baseline.asgi:application"
        return [sys.executable, "-m", "daphne", "-v", "0", *address, application]

    def start(self) -> None:
        migrate = [sys.executable, "manage.py", "migrate", "--run-syncdb", "-v", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.inherited(), check=True)
        super().start()

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())


class System:
    """A server, and by name the first processes of what it stands on."""

    name: str

    def __init__(self, server: Server, services: dict[str, int]) -> None:
        self.server, self._services = server, services

    def seats(self, people: int, chats: Chats) -> list[Seat]:
        """One for each of these people, in the first chat that they are in."""
        raise NotImplementedError

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time used so far."""
        roots = {"server": self.server.process.pid, **self._services}
        return {name: cpu_seconds(pid) for name, pid in roots.items()}

    def restart(self) -> None:
        self.server.stop()
        self.server.start()

    def wait_until_quiet(self) -> None:
        """Until it has nothing left to do, or a while at most."""
        until = time.monotonic() + QUIET_SECONDS
        before, now = -1.0, sum(self.cpu().values())
        while now - before > QUIET and time.monotonic() < until:
            time.sleep(1)
            before, now = now, sum(self.cpu().values())


class Product(System):
    name = "product"

    def seats(self, people: int, chats: Chats) -> list[Seat]:
        made = self.made(people, chats)
        return [
            Seat("/ws", made.chat_ids[first], token)
            for token, first in zip(made.tokens, _first_chats(people, chats), strict=True)
        ]

    @cache  # noqa: B019 there are two of these
    def made(self, people: int, chats: Chats, messages: int = 0) -> Made:
        """The same rows for every round; each chat has so many messages in the beginning."""
        from bench.rows import make

        return make(people, chats, messages)


class Tutorial(System):
    name = "baseline"

    def seats(self, people: int, chats: Chats) -> list[Seat]:
        """Nobody signs in there, and rooms are not made."""
        firsts = _first_chats(people, chats)
        return [Seat(f"/ws/chat/room{chat}/", f"room{chat}") for chat in firsts]


def _first_chats(people: int, chats: Chats) -> list[int]:
    firsts: defaultdict[int, int] = defaultdict(int)
    for number in reversed(range(len(chats))):
        firsts |= dict.fromkeys(chats[number], number)
    return [firsts[person] for person in range(people)]


def set_up(profile: str, stack: ExitStack) -> list[System]:
    """Both, ready to be connected to, and this process on the product's database."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chat-bench-")))
    theirs = {"DATABASE_URL": f"sqlite:///{folder}/tutorial.sqlite3"}
    services: dict[str, int] = {}
    if profile == "services":
        theirs, services = _services(stack)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    systems: list[System] = [
        Product(Server(), services),
        Tutorial(
            TutorialServer(DJANGO_SETTINGS_MODULE="bench.baseline.settings", **theirs), services
        ),
    ]
    for system in systems:
        system.server.start()
        stack.callback(system.server.stop)
    return systems


def _services(stack: ExitStack) -> tuple[dict[str, str], dict[str, int]]:
    """The tutorial's environment, the product's being this process's own; and their processes."""
    # Unlike in tests, what is acknowledged is on disk.
    postgres, redis = PostgresServer(fsync="on", synchronous_commit="on"), RedisServer()
    postgres.start()
    stack.callback(postgres.kill)
    redis.start()
    stack.callback(redis.kill)
    with psycopg.connect(postgres.url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE tutorial")
    os.environ |= {"DATABASE_URL": postgres.url, "REDIS_URL": redis.url, "WORKERS": "1"}
    theirs = postgres.url.rpartition("/")[0] + "/tutorial"
    return {"DATABASE_URL": theirs}, {"database": postgres.pid, "redis": redis.pid}
