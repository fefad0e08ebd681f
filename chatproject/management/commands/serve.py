"""Serves: the one command that bin/run ends in."""

import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any
from urllib.parse import parse_qs, urlsplit

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor

from accounts import first_run
from chatproject.heads import BoundedHeads
from chatproject.peers import SocketProtocol
from chatproject.realtime import MAX_FRAME_BYTES
from messaging import epochs

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 10
IDLE_SECONDS = 30
"""Longer than clients keep a connection that nobody uses (httpx 5 s, aiohttp 15): else it ends just
when one of them asks again. A peer that vanished is noticed within 60."""
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
START_LOCK = 2_026_112_309
"""Any number that nobody else locks in this database."""


class Command(BaseCommand):
    help = "Brings the database up to date and serves the chat until it is told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_unsafe(options["host"])
        _refuse_taken_address(options["host"], options["port"])
        _warn()
        lock = _lock_data_dir() if settings.IS_SQLITE else None
        try:
            _refuse_unsafe_sqlite()
            with _alone():
                _migrate()
        except OperationalError as error:
            raise CommandError(
                f"The database cannot be reached or changed ({error}): see that it runs and that "
                "DATABASE_URL is right, then start again."
            ) from None
        epochs.renew()
        _copy_static_files()
        setup_link = first_run.link()
        connections.close_all()
        self.stdout.write(f"Serving {settings.SITE_NAME} at {settings.PUBLIC_URL}")
        if setup_link:
            self.stdout.write(f"Nobody is registered yet. To become the owner, open {setup_link}")
        self.stdout.flush()
        # uvicorn raises the signal again once it has stopped: that is a clean end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        serve("chatproject.asgi:application", options["host"], options["port"])
        if lock:
            lock.close()


def serve(application: str, host: str, port: int) -> None:
    """Until it is told to stop."""
    uvicorn.run(
        application,
        host=host,
        port=port,
        workers=settings.WORKERS,
        loop="uvloop",
        http=BoundedHeads,
        ws=SocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=25,
        ws_ping_timeout=25,
        ws_per_message_deflate=False,
        timeout_keep_alive=IDLE_SECONDS,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips=[str(network) for network in settings.TRUSTED_PROXIES],
        server_header=False,
        access_log=False,
        log_config=None,
    )


def _refuse_unsafe(host: str) -> None:
    if settings.WORKERS > 1 and (settings.IS_SQLITE or not settings.REDIS_URL):
        raise CommandError(
            "WORKERS above 1 needs DATABASE_URL (PostgreSQL) and REDIS_URL: set both, or WORKERS=1."
        )
    if settings.DEBUG and not {host, urlsplit(settings.PUBLIC_URL).hostname} <= LOCAL_HOSTS:
        raise CommandError(
            "DEBUG=on shows secrets to all who can reach HOST or PUBLIC_URL: set DEBUG=off, or "
            "both to 127.0.0.1."
        )
    if "socket_timeout" in parse_qs(urlsplit(settings.REDIS_URL).query):
        raise CommandError(
            "REDIS_URL sets socket_timeout, which cuts off who hears nothing for a while: leave it "
            "out of REDIS_URL."
        )


def _refuse_unsafe_sqlite() -> None:
    """Where shared memory is missing, as on network disks, SQLite goes on without a word."""
    if not settings.IS_SQLITE:
        return
    with connection.cursor() as cursor:
        (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raise CommandError(
            f"SQLite cannot keep a write-ahead log here (journal_mode={mode}): set DATA_DIR to a "
            "folder on a disk of this machine, or DATABASE_URL to a PostgreSQL."
        )


def _warn() -> None:
    if not settings.RATE_LIMITS:
        logger.warning("RATE_LIMITS=off: anybody may send, sign in and connect without end")


def _refuse_taken_address(host: str, port: int) -> None:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host}:{port} ({error.strerror}): stop what listens there, or set "
            "another HOST or PORT."
        ) from None


def _lock_data_dir() -> TextIOWrapper:
    """Held until the process ends, however it ends."""
    file = open(settings.DATA_DIR / "lock", "a+", encoding="ascii")  # noqa: SIM115
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CommandError(
            f"Another server works on {settings.DATA_DIR}: stop it, or set another DATA_DIR."
        ) from None
    os.set_inheritable(file.fileno(), True)
    return file


def _copy_static_files() -> None:
    """This release's, once; those of others go."""
    complete = settings.STATIC_ROOT / ".complete"
    if complete.exists():
        return
    for other in settings.STATIC_ROOT.parent.glob("*"):
        shutil.rmtree(other, ignore_errors=True)
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=["*.map"])
    complete.touch()


@contextmanager
def _alone() -> Iterator[None]:
    """Of servers that start at once on one PostgreSQL, one after the other."""
    if settings.IS_SQLITE:
        yield
        return
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute("SET LOCAL lock_timeout = 0")  # as long as the other one takes
            cursor.execute("SELECT pg_advisory_lock(%s)", [START_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [START_LOCK])


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
