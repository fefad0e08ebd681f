"""What people do with their own seats: how far they read, what they want to hear."""

from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.preferences import preferences_of
from chatproject.errors import Invalid, NotThere
from chatproject.realtime import marks_moved, publish
from chats import access, events
from chats.models import Chat, Membership


def change_own_settings(*, actor: User, chat: Chat, **changes: Any) -> None:
    """Changes ``notify``, ``pinned`` and ``muted_until`` of one's own seat."""
    with transaction.atomic():
        seat = access.seat_in(actor, chat.id)
        if not Membership.objects.present().filter(id=seat.id).update(**changes):
            raise NotThere()
        publish(marks_moved(actor.id, chat.id))


def mark_read(*, actor: User, chat: Chat, seq: int) -> Membership:
    """Moves the mark forward, never back. Raises Invalid above the newest message."""
    with transaction.atomic():
        seat = access.seat_in(actor, chat.id)
        if seq > seat.chat.last_seq:
            raise Invalid("There is no such message yet.", attr="seq")
        if Membership.objects.filter(id=seat.id, last_read_seq__lt=seq).update(last_read_seq=seq):
            seat.last_read_seq = seq
            publish(*events.mark_moved(seat, is_shown=preferences_of(actor).shows_read))
    return seat


def mark_unread(*, actor: User, chat: Chat, seq: int) -> Membership:
    """Makes a message the first unread one. Above the mark it changes nothing."""
    with transaction.atomic():
        seat = access.seat_in(actor, chat.id)
        rows = Membership.objects.filter(id=seat.id, last_read_seq__gte=seq)
        if rows.update(last_read_seq=seq - 1):
            seat.last_read_seq = seq - 1
            publish(marks_moved(actor.id, chat.id))
    return seat
