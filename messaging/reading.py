"""What the hub reads from the database, which is the truth."""

import time
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import SignIn, User
from chatproject.realtime import Envelope
from chats.models import Chat, Membership
from chats.serializers import chat_document
from messaging.events import MAX_READ, read_events
from messaging.models import Installation
from messaging.serializers import Document

__all__ = ["MAX_READ"]

SWEEP_SECONDS = 3
LOOK_BACK = timedelta(seconds=30)


def chat_versions(user_id: UUID) -> dict[str, int]:
    """The versions of the chats that somebody is in, by id."""
    rows = Membership.objects.present().filter(user=user_id)
    return {str(key): version for key, version in rows.values_list("chat_id", "chat__version")}


def chat_for(user_id: UUID, chat_id: UUID) -> Document | None:
    """The chat as this user sees it; None if they are not in it."""
    seats = Membership.objects.present().filter(user=user_id, chat=chat_id)
    seat = seats.select_related("chat", "user").first()
    return chat_document(seat.user, seat.chat) if seat else None


def missed_events(chat_id: UUID, since: int) -> list[Envelope] | None:
    """The events after a version, without a hole; None if the chat is gone."""
    chat = Chat.objects.filter(id=chat_id).first()
    return read_events(chat, since) if chat else None


class Changes(NamedTuple):
    chats: dict[str, int]
    users: set[str]
    ended_sign_ins: dict[str, bool]
    """By id: whether its user may still sign in."""


def recent_changes(silent_seconds: float) -> Changes:
    """What changed since one looked, and in 30 s before that, by the database's clock.

    The 30 s are for what was committed late; after an outage one looks back over all of it.
    """
    recent = {"changed_at__gt": Now() - LOOK_BACK - timedelta(seconds=silent_seconds)}
    chats = Chat.objects.filter(**recent).values_list("id", "version")
    users = User.objects.filter(**recent).values_list("id", flat=True)
    ended = SignIn.objects.filter(ended_at__isnull=False, **recent)
    return Changes(
        {str(key): version for key, version in chats},
        {str(key) for key in users},
        {str(key): is_active for key, is_active in ended.values_list("id", "user__is_active")},
    )


def epoch() -> str:
    """What tells this data from data that was restored or replaced."""
    with transaction.atomic():
        row, _ = Installation.objects.get_or_create(id=1)
    return str(row.epoch)


def has_passed(moment: int | None) -> bool:
    """Whether a time, in seconds since 1970, is over; None never is."""
    return moment is not None and moment <= time.time()
