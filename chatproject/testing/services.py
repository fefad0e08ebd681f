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


class PostgresServer:
    """One that a test may end and start again: what was committed stays."""

    def __init__(self, **options: str) -> None:
        """``options`` are PostgreSQL's own, where they are to be others."""
        self.port = free_port()
        self.url = f"postgres://chat@127.0.0.1:{self.port}/postgres"
        self._options = options
        self._folder: Path | None = None

    @property
    def pid(self) -> int:
        """Of the first of its processes."""
        pid: int = self._process.pid
        return pid

    def start(self) -> None:
        if self._folder is None:
            self._make_cluster()
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "max_connections": 300}
        options |= {"unix_socket_directories": self._folder}
        options |= {"fsync": "off"}  # the machine itself does not fail
        options |= {"synchronous_commit": "off"}  # not what the project wants: it has to say so
        options |= self._options
        flags = [f"--{key}={value}" for key, value in options.items()]
        self._process = self._run(subprocess.Popen, "postgres", *flags)
        _wait(lambda: self._connect(flags), psycopg.OperationalError)

    def _connect(self, flags: list[str]) -> None:
        """It gives up where a process of the one before, killed, still holds its memory."""
        if self._process.poll() is not None:
            self._process = self._run(subprocess.Popen, "postgres", *flags)
        psycopg.connect(self.url).close()

    def kill(self) -> None:
        """At once, with all its processes, and without tidying up."""
        if self._process.poll() is not None:
            return
        children = subprocess.run(
            ["pgrep", "-P", str(self._process.pid)], capture_output=True, text=True, check=False
        )
        _end(self._process, signal.SIGKILL)
        for pid in children.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def _make_cluster(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="chat-postgres-"))
        if owner := _unprivileged():
            os.chown(self._folder, owner["user"], owner["group"])
        flags = ["-U", "chat", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run(subprocess.run, "initdb", *flags, check=True)
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        atexit.register(self.kill)

    def _run(self, how: Callable[..., Any], program: str, *flags: str, **more: Any) -> Any:
        assert self._folder
        command = [Path(os.environ["POSTGRES_BIN"]) / program, "-D", "cluster", *flags]
        with (self._folder / "log").open("ab") as log:
            return how(command, stdout=log, stderr=log, cwd=self._folder, **more, **_unprivileged())


class RedisServer:
    """One that a test may end and start again: it keeps nothing."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        flags = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command = [os.environ["REDIS_SERVER"], *flags]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        atexit.register(self.kill)
        _wait(redis.Redis.from_url(self.url).ping, redis.RedisError)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        _end(self._process, signal.SIGKILL)

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


class Services:
    """Where the services profile finds its database and its channel layer.

    ``TEST_DATABASE_URL`` and ``TEST_REDIS_URL`` name servers that are there already; else both
    are started, from the binaries that bin/test found (``POSTGRES_BIN``, ``REDIS_SERVER``).
    """

    def __init__(self) -> None:
        self._postgres, self._redis = PostgresServer(), RedisServer()
        self._admin_url = os.environ.get("TEST_DATABASE_URL") or self._postgres.url
        self.redis_url = os.environ.get("TEST_REDIS_URL") or self._redis.url
        self._are_started = False

    def environment(self, database: str) -> dict[str, str]:
        """Of an installation with two workers."""
        url = f"{self._admin_url.rsplit('/', 1)[0]}/{database}"
        return {"DATABASE_URL": url, "REDIS_URL": self.redis_url, "WORKERS": "2"}

    def create_database(self, name: str, template: str = "template1") -> None:
        """A copy of the template, which nobody may be connected to."""
        self._start()
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())

    def _start(self) -> None:
        if self._are_started:
            return
        self._are_started = True
        if self._admin_url == self._postgres.url:
            self._postgres.start()
        if self.redis_url == self._redis.url:
            self._redis.start()


def new_database_name() -> str:
    return f"chat_{secrets.token_hex(6)}"


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: who runs it instead."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise RuntimeError("PostgreSQL refuses root, and there is no user nobody to run it.")


def _wait(ask: Callable[[], Any], error: type[Exception]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            ask()
            return
        except error:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _end(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(20)
