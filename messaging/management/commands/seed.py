"""Makes demonstration data."""

import gc
import secrets
from argparse import ArgumentParser
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from accounts.models import User
from chats.models import MAX_MEMBERS, Chat, Membership
from messaging.models import Mention, Message, Reaction
from messaging.seed.history import fill
from messaging.seed.people import make_people, write_tokens
from messaging.seed.places import Place, open_chat, plan
from messaging.seed.progress import Progress

SEED = 2026
"""Fixed, so that the same command on an empty installation makes the same people and texts."""
USUAL_GROUP_SIZE = 8


class Command(BaseCommand):
    help = (
        "Makes demonstration data: people, and chats in which they talk in several languages. "
        "All of them get one new password, which is printed. Each run adds more people."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--users", type=int, required=True, help="how many people")
        parser.add_argument("--groups", type=int, default=0, help="how many groups")
        parser.add_argument("--group-size", type=int, help="people a group (8, if there are)")
        parser.add_argument("--messages", type=int, default=0, help="messages, in all chats")
        parser.add_argument("--tokens", type=Path, help="a file for tokens that hold for a day")

    def handle(self, *args: Any, **options: Any) -> None:
        users, groups, messages = options["users"], options["groups"], options["messages"]
        size = options["group_size"] or min(USUAL_GROUP_SIZE, users)
        _refuse_nonsense(users, groups, size, messages, options["tokens"])
        call_command("migrate", verbosity=0, interactive=False)
        rng, password = Random(SEED), secrets.token_urlsafe(9)  # noqa: S311
        people = make_people(users, make_password(password), rng)
        places = plan(people, groups, size, messages, timezone.now(), rng)
        self._make_chats(places, messages, rng)
        _count_rows()
        if options["tokens"]:
            write_tokens(options["tokens"], people, password, _chats_by_person(places))
        self._say_what_there_is(people, places, messages, password)

    def _make_chats(self, places: list[Place], messages: int, rng: Random) -> None:
        gc.freeze()  # else a sixth of the time goes into looking at what stays anyway
        progress = Progress(messages, "messages", self.stderr._out)
        for place in places:
            open_chat(place)
            if place.share:
                fill(place, rng, progress.add)

    def _say_what_there_is(
        self, people: list[User], places: list[Place], messages: int, password: str
    ) -> None:
        groups = sum(place.name is not None for place in places)
        direct = len(places) - groups
        self.stdout.write(
            f"Made {len(people):,} people, {groups:,} groups, {direct:,} direct chats and "
            f"{messages:,} messages.\n"
            f"Sign in as {people[0].username}, or any of them, with the password {password}"
        )


def _count_rows() -> None:
    """PostgreSQL plans with what it last counted: on its own, only a minute after the load."""
    if connection.vendor == "postgresql":
        tables = [
            model._meta.db_table for model in (User, Chat, Membership, Message, Mention, Reaction)
        ]
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(tables)}")


def _chats_by_person(places: list[Place]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for place in places:
        for user in place.people:
            found.setdefault(user.id, []).append(place.chat_id)
    return found


def _refuse_nonsense(
    users: int, groups: int, size: int, messages: int, tokens: Path | None
) -> None:
    if users < 1 or groups < 0 or messages < 0:
        raise CommandError("Give --users of at least 1, and no negative numbers.")
    if groups and not 1 <= size <= min(users, MAX_MEMBERS):
        raise CommandError(f"Give --group-size from 1 to {min(users, MAX_MEMBERS)}.")
    if messages and users < 2:
        raise CommandError("One person has nobody to talk to: give --users of at least 2.")
    if tokens and tokens.is_dir():
        raise CommandError(f"{tokens} is a folder: give --tokens the name of a file.")
    if tokens and not tokens.absolute().parent.is_dir():
        raise CommandError(f"There is no folder {tokens.absolute().parent}: make it first.")
