"""What the hub reads from the database, which is the truth."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Now

from accounts.models import SignIn, User
from chatproject.realtime import Envelope
from chatproject.snapshots import snapshot
from chats.models import Chat, Membership
from chats.serializers import chat_document, me_document
from messaging.events import MAX_READ, read_events
from messaging.models import Installation
from messaging.serializers import Document

__all__ = ["MAX_READ"]

SWEEP_SECONDS = 3
LOOK_BACK = timedelta(seconds=30)


class Seats(NamedTuple):
    """The ``seats_version`` of somebody, and by id the versions of the chats that they are in.

    The first is read first: what changes in between shows as a newer one later.
    """

    seats_version: int
    versions: dict[str, int]

    def summary(self) -> "Summary":
        return Summary(self.seats_version, len(self.versions), sum(self.versions.values()))


class Summary(NamedTuple):
    """As long as it is the same, so are the seats and all versions: those only rise."""

    seats_version: int
    chats: int
    sum_of_versions: int


def seats_of(user_ids: Sequence[UUID]) -> list[Seats]:
    found = {key: Seats(version, {}) for key, version in _seats_version_of(user_ids)}
    rows = Membership.objects.present().filter(user__in=found)
    for user_id, chat_id, version in rows.values_list("user_id", "chat_id", "chat__version"):
        found[user_id].versions[str(chat_id)] = version
    return [found.get(user_id) or Seats(0, {}) for user_id in user_ids]


def summaries_of(user_ids: Sequence[UUID]) -> list[Summary]:
    found = {key: Summary(version, 0, 0) for key, version in _seats_version_of(user_ids)}
    rows = Membership.objects.present().filter(user__in=found).values_list("user_id")
    for user_id, count, total in rows.annotate(Count("pk"), Sum("chat__version")):
        found[user_id] = Summary(found[user_id].seats_version, count, total)
    return [found.get(user_id) or Summary(0, 0, 0) for user_id in user_ids]


def _seats_version_of(user_ids: Sequence[UUID]) -> QuerySet[User, tuple[UUID, int]]:
    return User.objects.filter(id__in=set(user_ids)).values_list("id", "seats_version")


@snapshot()
def chat_for(user_id: UUID, chat_id: UUID) -> Document | None:
    """The chat as this user sees it; None if they are not in it."""
    seats = Membership.objects.present().filter(user=user_id, chat=chat_id)
    seat = seats.select_related("chat", "user").first()
    return chat_document(seat.user, seat.chat) if seat else None


@snapshot()
def marks_in(user_id: UUID, chat_id: UUID) -> tuple[int, Document] | None:
    """The chat's version, and one's own marks and counts at it; None if one is not in it."""
    seats = Membership.objects.present().filter(user=user_id, chat=chat_id)
    seat = seats.select_related("chat").first()
    return (seat.chat.version, me_document(seat)) if seat else None


def missed_events(chat_id: UUID, since: int) -> list[Envelope] | None:
    """The events after a version, without a hole; None if the chat is gone."""
    chat = Chat.objects.filter(id=chat_id).first()
    return read_events(chat, since) if chat else None


class Changes(NamedTuple):
    chats: dict[str, int]
    seats_versions: dict[str, int]
    """By user: what tells whether their seats are others than before."""
    ended_sign_ins: dict[str, bool]
    """By id: whether its user may still sign in."""


def recent_changes() -> Changes:
    """What changed in the last 30 s by the database's clock, some of it committed late."""
    recent = {"changed_at__gt": Now() - LOOK_BACK}
    return Changes(
        _versions(Chat.objects.filter(**recent)),
        _seats_versions(User.objects.filter(**recent)),
        _ended(SignIn.objects.filter(ended_at__isnull=False, **recent)),
    )


def all_changes(chat_ids: list[str], user_ids: list[str], sign_in_ids: list[str]) -> Changes:
    """The same of these alone, however long ago it was."""
    chats: dict[str, int] = {}
    users: dict[str, int] = {}
    ended: dict[str, bool] = {}
    for ids in _parts(chat_ids):
        chats |= _versions(Chat.objects.filter(id__in=ids))
    for ids in _parts(user_ids):
        users |= _seats_versions(User.objects.filter(id__in=ids))
    for ids in _parts(sign_in_ids):
        ended |= _ended_among(ids)
    return Changes(chats, users, ended)


def _versions(chats: QuerySet[Chat]) -> dict[str, int]:
    return {str(key): version for key, version in chats.values_list("id", "version")}


def _seats_versions(users: QuerySet[User]) -> dict[str, int]:
    return {str(key): version for key, version in users.values_list("id", "seats_version")}


def _ended(sign_ins: QuerySet[SignIn]) -> dict[str, bool]:
    rows = sign_ins.values_list("id", "user__is_active")
    return {str(key): is_active for key, is_active in rows}


def _ended_among(sign_in_ids: list[str]) -> dict[str, bool]:
    valid = SignIn.objects.valid().filter(id__in=sign_in_ids).values_list("id", flat=True)
    gone = set(sign_in_ids) - {str(key) for key in valid}
    return dict.fromkeys(gone, True) | _ended(SignIn.objects.filter(id__in=gone))


def _parts(ids: list[str], size: int = 500) -> Iterator[list[str]]:
    """SQLite takes so many parameters a query and no more."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def epoch() -> str:
    """What tells this data from data that was restored or replaced."""
    row, _ = Installation.objects.get_or_create(id=1)  # no transaction: on SQLite it would write
    return str(row.epoch)


def has_passed(moment: int) -> bool:
    """Whether a time, in seconds since 1970, is over."""
    return moment <= time.time()
