"""A PostgreSQL and a Redis of this worker's own: real servers on free ports, ended with it."""

import atexit
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import redis


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Services:
    """Where the services profile finds its database and its channel layer.

    ``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` name servers that are there already; else both
    are started, from the binaries that bin/test found (``POSTGRES_BIN``, ``REDIS_SERVER``).
    """

    def __init__(self) -> None:
        self._port, self._redis = free_port(), RedisServer(free_port())
        own_database = f"postgres://chat@127.0.0.1:{self._port}/postgres"
        self.admin_url = os.environ.get("TEST_DATABASE_URL") or own_database
        self.redis_url = os.environ.get("TEST_REDIS_URL") or self._redis.url
        self._are_started = False

    def start(self) -> None:
        if self._are_started:
            return
        self._are_started = True
        if not os.environ.get("TEST_DATABASE_URL"):
            _start_postgres(self._port, self.admin_url)
        if not os.environ.get("TEST_REDIS_URL"):
            self._redis.start()

    def environment(self, database: str) -> dict[str, str]:
        """Of an installation with two workers."""
        url = f"{self.admin_url.rsplit('/', 1)[0]}/{database}"
        return {"DATABASE_URL": url, "REDIS_URL": self.redis_url, "WORKERS": "2"}

    def create_database(self, name: str) -> None:
        self.start()
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())


def new_database_name() -> str:
    return f"chat_{secrets.token_hex(6)}"


def _start_postgres(port: int, url: str) -> None:
    binaries = Path(os.environ["POSTGRES_BIN"])
    folder = Path(tempfile.mkdtemp(prefix="chat-postgres-"))
    owner = _unprivileged()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": folder}
    options |= {"fsync": "off", "max_connections": 300}  # nobody keeps what tests write
    flags = [f"--{key}={value}" for key, value in options.items()]
    with (folder / "log").open("wb") as log:
        same: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": folder, **owner}
        initdb = [binaries / "initdb", "-D", "cluster", "-U", "chat", "-A", "trust", "--no-sync"]
        subprocess.run([*initdb, "-E", "UTF8", "--locale=C"], check=True, **same)
        process = subprocess.Popen([binaries / "postgres", "-D", "cluster", *flags], **same)
    _end_with_us(process, folder, signal.SIGQUIT)
    _wait(lambda: psycopg.connect(url).close(), psycopg.OperationalError, folder / "log")


class RedisServer:
    """One that a test may end and start again."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"

    def start(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="chat-redis-"))
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with (folder / "log").open("wb") as log:
            command = [os.environ["REDIS_SERVER"], *flags]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        _end_with_us(self.process, folder, signal.SIGTERM)
        _wait(redis.Redis.from_url(self.url).ping, redis.RedisError, folder / "log")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: who runs it instead."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses root, and there is no user nobody to run it.")


def _wait(ask: Callable[[], Any], error: type[Exception], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            ask()
            return
        except error:
            if time.monotonic() > deadline:
                raise RuntimeError(log.read_text()) from None
            time.sleep(0.05)


def _end_with_us(process: subprocess.Popen[bytes], folder: Path, how: signal.Signals) -> None:
    def end() -> None:
        process.send_signal(how)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
