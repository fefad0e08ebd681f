"""What a run is played on: a server of its own behind a proxy, with its database and Redis."""

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg

from chaos.ledger import Held, Stored, Truth
from chatproject.testing import PASSWORD, Proxy, Server
from chatproject.testing.services import PostgresServer, RedisServer
from chatproject.testing.stage import ROOT


class Other(Server):
    """Something else serves the same application: nobody migrates before it."""

    def start(self) -> None:
        migrate = [sys.executable, "manage.py", "migrate", "-v", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.inherited(), check=True)
        super().start()


class Daphne(Other):
    """One process."""

    def command(self) -> list[str]:
        address = ["-b", "127.0.0.1", "-p", str(self.port)]
        return [sys.executable, "-m", "daphne", "-v", "0", *address, "chatproject.asgi:application"]


class Watched(Other):
    """The usual server, whose tasks can be counted."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "chaos.inside"]


class Installation:
    """``postgres`` and ``redis`` are None where it is embedded, ``disk`` where it is not small."""

    def __init__(
        self, profile: str, server: type[Server] = Server, has_small_disk: bool = False
    ) -> None:
        self.profile = profile
        self._folder = tempfile.TemporaryDirectory(prefix="chat-chaos-")
        self.disk = SmallDisk(Path(self._folder.name)) if has_small_disk else None
        self.proxy = Proxy()
        environment = {"DATA_DIR": self._folder.name, "PUBLIC_URL": self.proxy.url}
        self.postgres = self.redis = None
        if profile == "services":
            self.postgres, self.redis = PostgresServer(), RedisServer()
            environment |= {"DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url}
            environment |= {"WORKERS": "1" if server is Daphne else "2"}
        self.server = server(**environment)

    @asynccontextmanager
    async def set_up(self) -> AsyncIterator[None]:
        """All of it, to be taken down again however it ends."""
        with ExitStack() as stack:
            await asyncio.to_thread(self._start, stack)
            yield

    def _start(self, stack: ExitStack) -> None:
        stack.callback(self._folder.cleanup)
        if self.disk:
            self.disk.mount()
            stack.callback(self.disk.unmount)
        for service in (self.postgres, self.redis):
            if service:
                service.start()
                stack.callback(service.kill)
        self.server.start()
        stack.callback(self.server.stop)
        self.proxy.start(self.server.port)
        stack.callback(self.proxy.end)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """From the database itself."""
        if self.postgres:
            with psycopg.connect(self.postgres.url) as connection:
                return connection.execute(query.encode()).fetchall()
        path = Path(self._folder.name) / "chat.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            return database.execute(query).fetchall()

    def truth(self) -> Truth:
        said = self.rows(
            "SELECT chat_id, seq, sender_id, version, client_id, content FROM messages"
        )
        seats = self.rows("SELECT chat_id, user_id FROM memberships WHERE left_at IS NULL")
        members: dict[str, set[str]] = defaultdict(set)
        for chat, user in seats:
            members[id_of(chat)].add(id_of(user))
        return Truth(
            [
                Stored(id_of(chat), seq, id_of(sender), Held(version, client_id or "", content))
                for chat, seq, sender, version, client_id, content in said
            ],
            {id_of(chat): version for chat, version in self.rows("SELECT id, version FROM chats")},
            members,
        )


def id_of(value: Any) -> str:
    """As the API writes it; SQLite keeps it without dashes."""
    text = str(value).replace("-", "")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def register(url: str, name: str) -> dict[str, Any]:
    """A new account, as the server answers it."""
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    found = httpx.post(f"{url}/auth/register", json=body, timeout=30).raise_for_status().json()
    return dict(found)


class SmallDisk:
    """A file system in memory that can be filled. Only root may mount one, on Linux."""

    SIZE = 128 * 2**20

    def __init__(self, folder: Path) -> None:
        self.folder, self.is_there = folder, False

    def mount(self) -> None:
        how = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", str(self.folder)]
        with suppress(OSError):
            self.is_there = subprocess.run(how, capture_output=True, check=False).returncode == 0

    def unmount(self) -> None:
        if self.is_there:
            subprocess.run(["umount", str(self.folder)], check=True)

    def fill(self) -> None:
        with suppress(OSError), self._filler.open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(2**16))

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"
