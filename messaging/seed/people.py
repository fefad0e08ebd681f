"""Demonstration people, and the tokens with which a program can be any of them."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import SignIn, User
from accounts.tokens import access_token
from messaging.seed.names import Name, names

ROWS_AT_ONCE = 500
"""In one transaction, so that a running server's writes hardly wait."""
TOKEN_LIFETIME = timedelta(days=1)

T = TypeVar("T")


def id_at(moment: datetime) -> UUID:
    """A row id that sorts as if it had been made then."""
    return uuid7(nanoseconds=int(moment.timestamp() * 1_000_000_000))


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def make_people(count: int, password_hash: str, rng: Random) -> list[User]:
    """People whose names nobody has yet, the best-known ones first."""
    now = timezone.now()
    people = []
    for chunk in chunks(_free_names(count, rng), ROWS_AT_ONCE):
        users = [_person(name, password_hash, now, rng) for name in chunk]
        with transaction.atomic():
            User.objects.bulk_create(users)
        people += users
    return people


def _person(name: Name, password_hash: str, now: datetime, rng: Random) -> User:
    created_at = now - timedelta(days=rng.uniform(60, 400))
    return User(
        id=id_at(created_at),
        username=name.key,
        email=_email(name.key),
        display_name=name.display_name,
        password=password_hash,
        created_at=created_at,
        last_seen=now - timedelta(minutes=rng.expovariate(1 / 600)),
    )


def _email(key: str) -> str:
    return f"{key}@example.org"


def _free_names(count: int, rng: Random) -> Iterator[Name]:
    candidates = chunks(names(rng), ROWS_AT_ONCE)
    free = (name for chunk in candidates for name in _not_taken(chunk))
    return islice(free, count)


def _not_taken(candidates: Sequence[Name]) -> list[Name]:
    keys = [name.key for name in candidates]
    rows = User.objects.with_name_key().alias(email_key=Lower("email"))
    taken = rows.filter(Q(name_key__in=keys) | Q(email_key__in=map(_email, keys)))
    found = {value.lower() for pair in taken.values_list("username", "email") for value in pair}
    return [name for name in candidates if not {name.key, _email(name.key)} & found]


def write_tokens(
    path: Path, people: Sequence[User], password: str, chats: dict[UUID, list[UUID]]
) -> None:
    """One JSON object a line, for the file's owner alone. The access tokens hold for a day."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        for chunk in chunks(people, ROWS_AT_ONCE):
            for sign_in in _signed_in(chunk):
                line = _token_line(sign_in, password, chats.get(sign_in.user_id, []))
                file.write(json.dumps(line) + "\n")


def _signed_in(people: Sequence[User]) -> list[SignIn]:
    expires_at = timezone.now() + TOKEN_LIFETIME + timedelta(hours=1)
    sign_ins = [
        SignIn(user=user, kind=SignIn.Kind.TOKEN, user_agent="seed", expires_at=expires_at)
        for user in people
    ]
    with transaction.atomic():
        SignIn.objects.bulk_create(sign_ins)
    return sign_ins


def _token_line(sign_in: SignIn, password: str, chats: list[UUID]) -> dict[str, object]:
    return {
        "user_id": str(sign_in.user_id),
        "username": sign_in.user.username,
        "password": password,
        "access": access_token(sign_in, TOKEN_LIFETIME),
        "chats": [str(chat_id) for chat_id in chats],
    }
