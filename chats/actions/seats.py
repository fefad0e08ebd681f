"""What all changes of seats share: taking them, and the counters that go with them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from chatproject.errors import Invalid
from chatproject.realtime import publish, seat_taken
from chats.models import Chat, Membership

Role = Membership.Role


def require_active(users: Sequence[User], attr: str) -> None:
    if not all(user.is_active for user in users):
        raise Invalid("Somebody here is unknown.", code="does_not_exist", attr=attr)


def seat_people(chat: Chat, users: Sequence[User], roles: dict[UUID, str] | None = None) -> None:
    seats = []
    for user in users:
        chat.version += 1
        role = (roles or {}).get(user.id, Role.MEMBER)
        seats.append(
            Membership(
                chat=chat,
                user=user,
                role=role,
                version=chat.version,
                joined_version=chat.version,
                last_read_seq=chat.last_seq,
            )
        )
    Membership.objects.bulk_create(seats)
    chat.member_count += len(seats)
    publish(*(seat_taken(user.id, chat.id) for user in users))


def take_back(chat: Chat, seat: Membership) -> None:
    chat.version += 1
    chat.member_count += 1
    seat.version = seat.joined_version = chat.version
    seat.role, seat.left_at, seat.joined_at = Role.MEMBER, None, timezone.now()
    seat.last_read_seq = chat.last_seq
    seat.save()


def seats_of(chat: Chat, users: Sequence[User]) -> dict[UUID, Membership]:
    rows = Membership.objects.filter(chat=chat, user__in=users).select_related("user")
    return {seat.user_id: seat for seat in rows}


def hold_chats(users: Sequence[User]) -> None:
    """Locks all chats that these people are in, until the transaction ends."""
    seats = Membership.objects.present().filter(user__in=users)
    list(Chat.objects.locked().filter(id__in=seats.values("chat")))


def count_seats(users: Sequence[User]) -> None:
    rows = User.objects.locked().filter(id__in=[user.id for user in users])
    ids = list(rows.values_list("id", flat=True))  # held in order: an update alone takes any
    User.objects.filter(id__in=ids).update(seats_version=F("seats_version") + 1, changed_at=Now())


def save_counters(chat: Chat, *more: str) -> None:
    chat.changed_at = Now()
    chat.save(
        update_fields=["last_seq", "version", "member_count", "active_at", "changed_at", *more]
    )
