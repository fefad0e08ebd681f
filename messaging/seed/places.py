"""Demonstration chats: which there are, and who is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.html import escape

from accounts.models import User
from chats.models import Chat, Membership, pair_of
from messaging.models import Message
from messaging.seed.people import id_at
from messaging.seed.themes import Theme, direct_themes, group_themes

HISTORY = timedelta(days=12)
FRIENDS_OF_THE_FIRST = 6


@dataclass(slots=True)
class Place:
    """A chat to be filled: its people, the cast first, and when the last of them spoke."""

    theme: Theme
    people: list[User]
    name: str | None
    opened_at: datetime
    closes_at: datetime
    chat_id: UUID
    has_cast: bool
    """Whether the first people have the theme's parts; else all take turns."""
    share: int = 0
    """How many messages it gets."""


def plan(
    people: Sequence[User], groups: int, group_size: int, messages: int, now: datetime, rng: Random
) -> list[Place]:
    """Groups and, where something is said, direct chats, with their shares of the messages."""
    in_groups = messages * 85 // 100 if groups else 0
    pairs = _pairs(people, limit=(messages - in_groups) // 4)
    if not pairs:
        in_groups = messages if groups else 0
    seated = [_group(number, people, group_size, now, rng) for number in range(groups)]
    direct = [_direct(pair, now, rng) for pair in pairs]
    _share(in_groups, seated)
    _share(messages - in_groups, direct)
    _spread_ends([*seated, *direct], now, rng)
    return [*seated, *direct]


def _share(messages: int, places: list[Place]) -> None:
    for number, place in enumerate(places):
        place.share = messages // len(places) + (number < messages % len(places))


def _pairs(people: Sequence[User], limit: int) -> list[tuple[User, User]]:
    """The first person knows some, the others their neighbour."""
    of_the_first = [(people[0], friend) for friend in people[1 : FRIENDS_OF_THE_FIRST + 1]]
    rest = people[1:]
    return [*of_the_first, *zip(rest[::2], rest[1::2], strict=False)][:limit]


def _group(number: int, people: Sequence[User], size: int, now: datetime, rng: Random) -> Place:
    themes = group_themes()
    theme = themes[number % len(themes)]
    repeat = number // len(themes)
    members = _members(theme if not repeat else None, people, size, rng)
    name = f"{theme.name} {repeat + 1}" if repeat else theme.name
    return _place(theme, members, name, now, rng, has_cast=not repeat)


def _members(theme: Theme | None, people: Sequence[User], size: int, rng: Random) -> list[User]:
    """The theme's cast as far as it is among the people, then whoever comes."""
    by_key = {user.username: user for user in people}
    cast = [by_key[key] for key in (theme.cast if theme else []) if key in by_key]
    others = rng.sample(people, min(len(people), size + len(cast)))
    return list(dict.fromkeys([*cast, *others]))[:size]


def _direct(pair: tuple[User, User], now: datetime, rng: Random) -> Place:
    themes = direct_themes()
    known = [theme for theme in themes if pair[1].username in theme.cast]
    theme = known[0] if known else rng.choice(themes)
    return _place(theme, [pair[1], pair[0]], None, now, rng, has_cast=True)


def _place(
    theme: Theme,
    people: list[User],
    name: str | None,
    now: datetime,
    rng: Random,
    *,
    has_cast: bool,
) -> Place:
    opened_at = now - HISTORY - timedelta(minutes=rng.uniform(0, 1000))
    return Place(theme, people, name, opened_at, now, id_at(opened_at), has_cast)


def _spread_ends(places: list[Place], now: datetime, rng: Random) -> None:
    """The first chat was active just now, each further one a while before that."""
    for number, place in enumerate(places):
        minutes = 5 * (1.7**number - 1) if number < 12 else rng.uniform(0, 3 * 24 * 60)
        place.closes_at = now - timedelta(minutes=minutes)


def open_chat(place: Place) -> Chat:
    """Makes the chat with its seats and, in a group, the line that says who created it."""
    chat = _chat(place)
    seats = [_seat(chat, user, number, place) for number, user in enumerate(place.people)]
    with transaction.atomic():
        Chat.objects.bulk_create([chat])
        Membership.objects.bulk_create(seats)
        if not chat.is_direct:
            Message.objects.bulk_create([_first_line(chat, place)])
        ids = [user.id for user in place.people]
        rows = User.objects.filter(id__in=ids)
        rows.update(seats_version=F("seats_version") + 1, changed_at=Now())
    return chat


def _chat(place: Place) -> Chat:
    """With its counters as they are when everybody has a seat and the first line is said."""
    is_group = place.name is not None
    size = len(place.people)
    return Chat(
        id=place.chat_id,
        type=Chat.Type.GROUP if is_group else Chat.Type.DIRECT,
        name=place.name,
        topic=place.theme.topic if is_group else None,
        pair=None if is_group else pair_of(place.people[0].id, place.people[1].id),
        created_by=place.people[0],
        created_at=place.opened_at,
        active_at=place.opened_at,
        member_count=size,
        version=size + 2 if is_group else size,
        profile_version=size + 2 if is_group else 0,
        last_seq=1 if is_group else 0,
    )


def _seat(chat: Chat, user: User, number: int, place: Place) -> Membership:
    roles = [Membership.Role.OWNER, Membership.Role.ADMIN] if place.name else []
    return Membership(
        chat=chat,
        user=user,
        role=roles[number] if number < len(roles) else Membership.Role.MEMBER,
        version=number + 1,
        joined_version=number + 1,
        joined_at=place.opened_at,
    )


def _first_line(chat: Chat, place: Place) -> Message:
    owner = place.people[0]
    content = f"{owner.display_name} created the group"
    return Message(
        id=id_at(place.opened_at),
        chat=chat,
        seq=1,
        version=chat.member_count + 1,
        created_version=chat.member_count + 1,
        message_type=Message.Type.SYSTEM,
        content=content,
        html=f'<p dir="auto">{escape(content)}</p>',
        system=_facts(place, owner),
        created_at=place.opened_at,
    )


def _facts(place: Place, owner: User) -> dict[str, object]:
    return {
        "kind": "created",
        "actor_id": str(owner.id),
        "user_ids": [],
        "name": place.name,
        "role": None,
    }
