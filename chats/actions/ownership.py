"""Who owns a group when its owners change."""

from collections.abc import Sequence

from accounts.models import User
from chatproject.realtime import publish
from chats import events
from chats.actions.seats import count_seats, save_counters
from chats.models import Chat, Membership

Role = Membership.Role


def succession(chat: Chat, without: Sequence[User] = ()) -> list[Membership]:
    """Without an owner, the longest-standing admin, else member, becomes one."""
    present = Membership.objects.present().filter(chat=chat, user__is_active=True)
    present = present.exclude(user__in=without)
    if present.filter(role=Role.OWNER).exists():
        return []
    heir = present.heir()
    return [give_role(chat, heir, Role.OWNER)] if heir else []


def give_role(chat: Chat, seat: Membership, role: str) -> Membership:
    chat.version += 1
    seat.version, seat.role = chat.version, role
    seat.save(update_fields=["version", "role"])
    return seat


def give_up_ownership(users: Sequence[User]) -> None:
    """Each group that only these own gets another owner, if anybody is left.

    For callers who hold the chats. Holds these people with the new owners, all in one order.
    """
    changed = [(chat, _handed_on(chat, users)) for chat in _owned_by(users)]
    count_seats([*users, *(seat.user for _, seats in changed for seat in seats)])
    for chat, seats in changed:
        if seats:
            save_counters(chat)
            publish(*events.members_changed("updated", chat, seats))


def _owned_by(users: Sequence[User]) -> list[Chat]:
    seats = Membership.objects.present().filter(user__in=users, role=Role.OWNER)
    return list(Chat.objects.locked().filter(id__in=seats.values("chat")))


def _handed_on(chat: Chat, users: Sequence[User]) -> list[Membership]:
    """The seats whose roles change: of the new owner, then of the owners before."""
    heirs = succession(chat, without=users)
    if not heirs:
        return []
    seats = Membership.objects.present().filter(chat=chat, user__in=users, role=Role.OWNER)
    owners = seats.select_related("user").order_by("id")
    return [*heirs, *(give_role(chat, seat, Role.MEMBER) for seat in owners)]


def has_other_owner(chat: Chat, seat: Membership) -> bool:
    owners = Membership.objects.present().filter(chat=chat, role=Role.OWNER, user__is_active=True)
    found: bool = owners.exclude(id=seat.id).exists()
    return found
