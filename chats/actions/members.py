"""What people do with the seats in a group."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import limits
from accounts.models import User
from chatproject.errors import Conflict
from chatproject.realtime import publish, seat_taken
from chats import access, events, talk
from chats.actions.chats import delete
from chats.actions.ownership import give_role, has_other_owner, succession
from chats.actions.seats import (
    count_seats,
    require_active,
    save_counters,
    seat_people,
    seats_of,
    take_back,
)
from chats.models import MAX_MEMBERS, Chat, Membership

Role = Membership.Role


def add_members(*, actor: User, chat: Chat, users: Sequence[User]) -> list[Membership]:
    """Gives people seats; who is there already stays as they are. Returns all their seats."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_manager(seat)
        chat = seat.chat
        known = seats_of(chat, users)
        new = [user for user in users if user.id not in known]
        back = [one for one in known.values() if not one.is_present]
        require_active([*new, *(one.user for one in back)], "user_ids")
        if new or back:
            _add(chat, actor, new, back)
        return list(seats_of(chat, users).values())


def _add(chat: Chat, actor: User, new: list[User], back: list[Membership]) -> None:
    if chat.member_count + len(new) + len(back) > MAX_MEMBERS:
        raise Conflict(f"A group has at most {MAX_MEMBERS} members.")
    limits.count_change(actor)
    for seat in back:
        take_back(chat, seat)
    seat_people(chat, new)
    publish(*(seat_taken(seat.user_id, chat.id) for seat in back))
    users = [*(seat.user for seat in back), *new]
    count_seats(users)
    joined = sorted(seats_of(chat, users).values(), key=lambda seat: seat.version)
    line = talk.provided().post_system_message(chat, "added", actor, users, None)
    save_counters(chat)
    publish(*events.members_changed("joined", chat, joined), line)


def remove_member(*, actor: User, chat: Chat, user_id: UUID) -> None:
    """Takes somebody's seat away; oneself is leaving. The last one out deletes the group."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_group(seat.chat)
        leaves = user_id == actor.id
        gone = access.member_of(seat.chat, user_id)
        if not leaves:
            access.require_above(seat, gone)
        if seat.chat.member_count == 1:
            delete(seat.chat)
        else:
            _remove(seat.chat, actor, gone, "left" if leaves else "removed")


def _remove(chat: Chat, actor: User, gone: Membership, kind: str) -> None:
    limits.count_change(actor)
    chat.version += 1
    chat.member_count -= 1
    gone.version, gone.left_at = chat.version, timezone.now()
    gone.save(update_fields=["version", "left_at"])
    heirs = succession(chat)
    count_seats([gone.user, *(heir.user for heir in heirs)])
    envelopes = [
        events.member_changed("left", chat, gone),
        *events.members_changed("updated", chat, heirs),
    ]
    named = [] if kind == "left" else [gone.user]
    envelopes.append(talk.provided().post_system_message(chat, kind, actor, named, None))
    save_counters(chat)
    publish(*envelopes)


def set_role(*, actor: User, chat: Chat, user_id: UUID, role: str) -> Membership:
    """Raises Conflict where the last owner would be demoted."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_owner(seat)
        chat = seat.chat
        changed = access.member_of(chat, user_id)
        if changed.role == role:
            return changed
        if changed.role == Role.OWNER and not has_other_owner(chat, changed):
            raise Conflict("A group needs an owner. Make somebody else one first.")
        limits.count_change(actor)
        give_role(chat, changed, role)
        count_seats([changed.user])
        told = events.member_changed("updated", chat, changed)
        line = talk.provided().post_system_message(chat, "role", actor, [changed.user], role)
        save_counters(chat)
        publish(told, line)
    return changed
