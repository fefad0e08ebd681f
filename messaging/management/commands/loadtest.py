"""Tries how much a running server carries."""

import math
import resource
import secrets
import select
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts.models import User
from bench.driver import LATE_SECONDS
from bench.load import Load, LoadFailed
from bench.plans import Made, Plan, Seat
from bench.rows import Rows
from chats.models import MAX_MEMBERS
from messaging.seed.progress import Progress

WATCHERS = 5
"""Who write nothing, and whose delays are taken."""
SENDERS, WINDOW = 20, 10
"""Who write when it is saturated, and how many messages each has without an answer."""
BUSY = 0.7
MOST_SECONDS = 3_600
OTHER_FILES = 100


class Asked(NamedTuple):
    """``pace`` is 0 where the server is to be saturated."""

    host: str
    port: int
    members: int
    pace: float
    seconds: int


class Command(BaseCommand):
    help = (
        "Tries how much the running server carries: makes people and a group of them, connects "
        "all, lets them write for a while, says how it went, and removes all of it again. "
        "Meanwhile others see these people. Give it the settings of the server."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help="where the server listens")
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--members", type=int, default=200, help="of the group (200)")
        parser.add_argument("--pace", type=float, help="messages a second, of all (50)")
        parser.add_argument(
            "--saturate", action="store_true", help="as many messages as the server takes"
        )
        parser.add_argument("--seconds", type=int, default=15, help="how long they write (15)")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = _asked(options)
        _ask_server(asked, "/readyz")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is made is to be removed
        try:
            User.objects.exists()  # before anything is made, for then it is to be removed
            with self._people(asked) as made:
                _ask_server(asked, "/users/me", made.tokens[0])
                found = self._load(asked, made)
        except LoadFailed as error:
            raise CommandError(f"The server did not let them all in or talk: {error}.") from None
        except DatabaseError as error:
            raise CommandError(
                f"The database cannot be used ({error}): run this with the settings of the server."
            ) from None
        except KeyboardInterrupt:
            raise CommandError("Stopped.") from None
        self._say(asked, found)

    @contextmanager
    def _people(self, asked: Asked) -> Iterator[Made]:
        prefix = f"loadtest-{secrets.token_hex(4)}-"
        names = [f"{prefix}{number}" for number in range(asked.members)]
        rows = Rows(names, (range(asked.members),))
        try:
            rows.store()
            yield rows.made()
        finally:
            self._remove(rows, prefix)

    def _remove(self, rows: Rows, prefix: str) -> None:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.stdout.write("Removing what was made …")
        try:
            rows.remove()
        except DatabaseError as error:
            raise CommandError(
                f"What was made could not be removed ({error}): delete the people {prefix}… "
                "and their group in the admin."
            ) from None
        finally:
            signal.signal(signal.SIGINT, before)

    def _load(self, asked: Asked, made: Made) -> dict[str, Any]:
        connecting = Progress(asked.members, "sockets", self.stdout._out)
        writing = Progress(asked.seconds, "seconds", self.stdout._out)
        shown = {"connected": connecting, "seconds": writing}

        def go_on(what: str, count: int) -> None:
            shown[what].add(count - shown[what].done)

        with Load("bench.driver", _plan(asked, made), go_on) as load:
            go_on("connected", asked.members)
            found = load.found()
            go_on("seconds", asked.seconds)
        return found

    def _say(self, asked: Asked, found: dict[str, Any]) -> None:
        seconds, busy = found["seconds"], found["cpu"] / found["seconds"]
        rate = found["delivered"] / seconds
        answers = f"{found['acknowledged']:,} acknowledged, {found['refused']:,} refused"
        lines = [
            f"Sent        {found['sent']:,} messages in {seconds:.1f} s, {answers}",
            f"Delivered   {found['delivered']:,} to {asked.members:,} sockets, {rate:,.0f}/s",
            f"Delays      p50 {found['p50']:.1f} ms, p99 {found['p99']:.1f} ms",
            f"Late        {found['late']:,} (more than {LATE_SECONDS} s after the last was sent)",
            f"Lost        {found['lost']:,}",
        ]
        if found["closed"]:
            lines.append(f"Closed      {found['closed']:,} sockets, by the server")
        if busy > BUSY:
            lines.append(
                f"This test itself was at work for {busy:.0%} of the time: the server may carry "
                "more. Run it on another machine."
            )
        self.stdout.write("\n".join(lines))


def _asked(options: dict[str, Any]) -> Asked:
    members, seconds, pace = options["members"], options["seconds"], options["pace"]
    if not hasattr(select, "epoll"):
        raise CommandError("A load test needs Linux.")
    if not WATCHERS < members <= MAX_MEMBERS:
        raise CommandError(f"Give --members from {WATCHERS + 1} to {MAX_MEMBERS}.")
    if not 1 <= seconds <= MOST_SECONDS:
        raise CommandError(f"Give --seconds from 1 to {MOST_SECONDS}.")
    if pace is not None and options["saturate"]:
        raise CommandError("Give --pace or --saturate, not both.")
    if pace is not None and not 0 < pace <= 1_000_000:
        raise CommandError("Give --pace of more than 0 messages a second.")
    _refuse_more_than_files(members)
    usual = 0 if options["saturate"] else 50
    asked = Asked(_reachable(options["host"]), options["port"], members, pace or usual, seconds)
    if settings.RATE_LIMITS:
        _refuse_more_than_rates(asked)
    return asked


def _refuse_more_than_files(members: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and members + OTHER_FILES > most:
        raise CommandError(
            f"Here a process may open {most} files, and a socket is one: give --members of at "
            f"most {most - OTHER_FILES}, or raise the limit (ulimit -Hn)."
        )


def _refuse_more_than_rates(asked: Asked) -> None:
    count, seconds, _ = settings.RATES["message"]
    if not asked.pace:
        raise CommandError(
            f"With RATE_LIMITS=on a person may send {count} messages in {seconds} s, so nobody "
            "can saturate the server: set RATE_LIMITS=off for it and for this, while nobody else "
            "can reach it, or give --pace."
        )
    senders = asked.members - WATCHERS
    if asked.pace * seconds > senders * count:
        raise CommandError(
            f"With RATE_LIMITS=on a person may send {count} messages in {seconds} s: give "
            f"--members of at least {math.ceil(asked.pace * seconds / count) + WATCHERS}, "
            f"or --pace of at most {senders * count // seconds}."
        )


def _reachable(host: str) -> str:
    """Where a server is found that listens on all addresses."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _ask_server(asked: Asked, path: str, token: str = "") -> None:
    """Raises CommandError where it is not there, or does not know whose token that is."""
    headers = {"Host": urlsplit(settings.PUBLIC_URL).netloc}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection = HTTPConnection(asked.host, asked.port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise CommandError(
            f"No server answers at {asked.host}:{asked.port} ({error}): start it (bin/run), or "
            "name another --host and --port."
        ) from None
    finally:
        connection.close()
    if status == 401:
        raise CommandError(
            f"The server at {asked.host}:{asked.port} does not know the people that were made: "
            "run this with its DATA_DIR, DATABASE_URL and SECRET_KEY."
        )
    if status != 200:
        raise CommandError(f"The server at {asked.host}:{asked.port} answers {status} to {path}.")


def _plan(asked: Asked, made: Made) -> Plan:
    writing = asked.members - WATCHERS
    return Plan(
        ports=[asked.port],
        host=asked.host,
        dialect="product",
        seats=[Seat("/ws", made.chat_ids[0], token) for token in made.tokens],
        seconds=asked.seconds,
        senders=list(range(writing if asked.pace else min(SENDERS, writing))),
        watchers=list(range(writing, asked.members)),
        window=0 if asked.pace else WINDOW,
        pace=asked.pace,
    )
