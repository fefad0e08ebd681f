"""Serves: the one command that bin/run ends in."""

import fcntl
import logging
import os
import shutil
import signal
import socket
import sys
from argparse import ArgumentParser
from io import TextIOWrapper
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from accounts import first_run
from chatproject.heads import BoundedHeads
from chatproject.realtime import MAX_FRAME_BYTES
from messaging import epochs

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS = 10


class Command(BaseCommand):
    help = "Brings the database up to date and serves the chat until it is told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_unsafe()
        _refuse_taken_address(options["host"], options["port"])
        _warn()
        lock = _lock_data_dir() if settings.IS_SQLITE else None
        try:
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
        uvicorn.run(
            "chatproject.asgi:application",
            host=options["host"],
            port=options["port"],
            workers=settings.WORKERS,
            loop="uvloop",
            http=BoundedHeads,
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_ping_interval=25,
            ws_ping_timeout=25,
            ws_per_message_deflate=False,
            lifespan="on",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            proxy_headers=bool(settings.TRUSTED_PROXIES),
            forwarded_allow_ips=[str(network) for network in settings.TRUSTED_PROXIES],
            server_header=False,
            access_log=False,
            log_config=None,
        )
        if lock:
            lock.close()


def _refuse_unsafe() -> None:
    if settings.WORKERS > 1 and (settings.IS_SQLITE or not settings.REDIS_URL):
        raise CommandError(
            "WORKERS above 1 needs DATABASE_URL (PostgreSQL) and REDIS_URL: set both, or WORKERS=1."
        )
    if settings.DEBUG and settings.HOST not in ("127.0.0.1", "localhost", "::1"):
        raise CommandError(
            "DEBUG=on shows secrets to all who can reach HOST: set DEBUG=off or HOST=127.0.0.1."
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


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
