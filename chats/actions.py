"""What people do with chats and with the seats in them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts import limits
from accounts.models import User
from accounts.preferences import preferences_of
from chatproject.errors import Conflict, Invalid, NotThere
from chatproject.realtime import chat_deleted, marks_moved, publish, seat_taken
from chats import access, events, talk
from chats.models import MAX_MEMBERS, Chat, Membership, pair_of

Role = Membership.Role


def create_direct_chat(*, actor: User, peer: User) -> tuple[Chat, bool]:
    """The one direct chat of this pair, and whether it is new. Raises Invalid for oneself."""
    if peer.id == actor.id:
        raise Invalid("That is you.", attr="members")
    pair = pair_of(actor.id, peer.id)
    if found := Chat.objects.filter(pair=pair).first():
        return found, False
    _require_active([peer], "members")
    try:
        with transaction.atomic():
            limits.count_change(actor)
            chat = Chat(type=Chat.Type.DIRECT, pair=pair, created_by=actor)
            chat.save(force_insert=True)
            _seat_people(chat, [actor, peer])
            _count_seats([actor, peer])
            _save_counters(chat)
    except IntegrityError:  # the other one, or another device, was first
        return Chat.objects.get(pair=pair), False
    return chat, True


def create_group(*, actor: User, name: str, members: Sequence[User] = ()) -> Chat:
    """A group that the actor owns."""
    _require_active(members, "members")
    people = [actor, *(user for user in members if user.id != actor.id)]
    with transaction.atomic():
        limits.count_change(actor)
        chat = Chat(type=Chat.Type.GROUP, name=name, created_by=actor)
        chat.save(force_insert=True)
        _seat_people(chat, people, {actor.id: Role.OWNER})
        _count_seats(people)
        talk.provided().post_system_message(chat, "created", actor, [], None)
        _save_counters(chat)
    return chat


def _require_active(users: Sequence[User], attr: str) -> None:
    if not all(user.is_active for user in users):
        raise Invalid("Somebody here is unknown.", code="does_not_exist", attr=attr)


def _seat_people(chat: Chat, users: Sequence[User], roles: dict[UUID, str] | None = None) -> None:
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


def update_chat(*, actor: User, chat: Chat, **changes: str | None) -> Chat:
    """Changes ``name`` and ``topic`` as far as they are given. What is the same changes nothing."""
    if "topic" in changes:
        changes["topic"] = changes["topic"] or None
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_manager(seat)
        chat = seat.chat
        changes = {key: value for key, value in changes.items() if getattr(chat, key) != value}
        if not changes:
            return chat
        _apply_profile(chat, actor, changes)
    return chat


def _apply_profile(chat: Chat, actor: User, changes: dict[str, Any]) -> None:
    limits.count_change(actor)
    for key, value in changes.items():
        setattr(chat, key, value)
    chat.version += 1
    chat.profile_version = chat.version
    envelopes = [events.chat_updated(chat, chat.version)]
    if "name" in changes:
        envelopes.append(talk.provided().post_system_message(chat, "renamed", actor, [], None))
    _save_counters(chat, "profile_version", *changes)
    publish(*envelopes)


def add_members(*, actor: User, chat: Chat, users: Sequence[User]) -> list[Membership]:
    """Gives people seats; who is there already stays as they are. Returns all their seats."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_manager(seat)
        chat = seat.chat
        known = _seats_of(chat, users)
        new = [user for user in users if user.id not in known]
        back = [one for one in known.values() if not one.is_present]
        _require_active([*new, *(one.user for one in back)], "user_ids")
        if new or back:
            _add(chat, actor, new, back)
        return list(_seats_of(chat, users).values())


def _add(chat: Chat, actor: User, new: list[User], back: list[Membership]) -> None:
    if chat.member_count + len(new) + len(back) > MAX_MEMBERS:
        raise Conflict(f"A group has at most {MAX_MEMBERS} members.")
    limits.count_change(actor)
    for seat in back:
        _take_back(chat, seat)
    _seat_people(chat, new)
    publish(*(seat_taken(seat.user_id, chat.id) for seat in back))
    users = [*(seat.user for seat in back), *new]
    _count_seats(users)
    joined = sorted(_seats_of(chat, users).values(), key=lambda seat: seat.version)
    line = talk.provided().post_system_message(chat, "added", actor, users, None)
    _save_counters(chat)
    publish(*events.members_changed("joined", chat, joined), line)


def _take_back(chat: Chat, seat: Membership) -> None:
    chat.version += 1
    chat.member_count += 1
    seat.version = seat.joined_version = chat.version
    seat.role, seat.left_at, seat.joined_at = Role.MEMBER, None, timezone.now()
    seat.last_read_seq = chat.last_seq
    seat.save()


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
            _delete(seat.chat)
        else:
            _remove(seat.chat, actor, gone, "left" if leaves else "removed")


def _remove(chat: Chat, actor: User, gone: Membership, kind: str) -> None:
    limits.count_change(actor)
    chat.version += 1
    chat.member_count -= 1
    gone.version, gone.left_at = chat.version, timezone.now()
    gone.save(update_fields=["version", "left_at"])
    heirs = _succession(chat)
    _count_seats([gone.user, *(heir.user for heir in heirs)])
    envelopes = [
        events.member_changed("left", chat, gone),
        *events.members_changed("updated", chat, heirs),
    ]
    named = [] if kind == "left" else [gone.user]
    envelopes.append(talk.provided().post_system_message(chat, kind, actor, named, None))
    _save_counters(chat)
    publish(*envelopes)


def _succession(chat: Chat, without: Sequence[User] = ()) -> list[Membership]:
    """Without an owner, the longest-standing admin, else member, becomes one."""
    present = Membership.objects.present().filter(chat=chat, user__is_active=True)
    present = present.exclude(user__in=without)
    if present.filter(role=Role.OWNER).exists():
        return []
    heir = present.heir()
    return [_give_role(chat, heir, Role.OWNER)] if heir else []


def _give_role(chat: Chat, seat: Membership, role: str) -> Membership:
    chat.version += 1
    seat.version, seat.role = chat.version, role
    seat.save(update_fields=["version", "role"])
    return seat


def set_role(*, actor: User, chat: Chat, user_id: UUID, role: str) -> Membership:
    """Raises Conflict where the last owner would be demoted."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_owner(seat)
        chat = seat.chat
        changed = access.member_of(chat, user_id)
        if changed.role == role:
            return changed
        if changed.role == Role.OWNER and not _has_other_owner(chat, changed):
            raise Conflict("A group needs an owner. Make somebody else one first.")
        limits.count_change(actor)
        _give_role(chat, changed, role)
        _count_seats([changed.user])
        told = events.member_changed("updated", chat, changed)
        line = talk.provided().post_system_message(chat, "role", actor, [changed.user], role)
        _save_counters(chat)
        publish(told, line)
    return changed


def delete_chat(*, actor: User, chat: Chat) -> None:
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_owner(seat)
        _delete(seat.chat)


def _delete(chat: Chat) -> None:
    _count_seats(list(User.objects.filter(memberships__chat=chat)))
    talk.provided().delete_messages(chat)
    publish(chat_deleted(chat.id))
    chat.delete()


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


def give_up_ownership(users: Sequence[User]) -> None:
    """Each group that only these own gets another owner, if anybody is left.

    For callers who hold the chats. Holds these people with the new owners, all in one order.
    """
    changed = [(chat, _handed_on(chat, users)) for chat in _owned_by(users)]
    _count_seats([*users, *(seat.user for _, seats in changed for seat in seats)])
    for chat, seats in changed:
        if seats:
            _save_counters(chat)
            publish(*events.members_changed("updated", chat, seats))


def _owned_by(users: Sequence[User]) -> list[Chat]:
    seats = Membership.objects.present().filter(user__in=users, role=Role.OWNER)
    return list(Chat.objects.locked().filter(id__in=seats.values("chat")))


def _handed_on(chat: Chat, users: Sequence[User]) -> list[Membership]:
    """The seats whose roles change: of the new owner, then of the owners before."""
    heirs = _succession(chat, without=users)
    if not heirs:
        return []
    seats = Membership.objects.present().filter(chat=chat, user__in=users, role=Role.OWNER)
    owners = seats.select_related("user").order_by("id")
    return [*heirs, *(_give_role(chat, seat, Role.MEMBER) for seat in owners)]


def hold_chats(users: Sequence[User]) -> None:
    """Locks all chats that these people are in, until the transaction ends."""
    seats = Membership.objects.present().filter(user__in=users)
    list(Chat.objects.locked().filter(id__in=seats.values("chat")))


def _has_other_owner(chat: Chat, seat: Membership) -> bool:
    owners = Membership.objects.present().filter(chat=chat, role=Role.OWNER, user__is_active=True)
    found: bool = owners.exclude(id=seat.id).exists()
    return found


def _seats_of(chat: Chat, users: Sequence[User]) -> dict[UUID, Membership]:
    rows = Membership.objects.filter(chat=chat, user__in=users).select_related("user")
    return {seat.user_id: seat for seat in rows}


def _count_seats(users: Sequence[User]) -> None:
    rows = User.objects.locked().filter(id__in=[user.id for user in users])
    ids = list(rows.values_list("id", flat=True))  # held in order: an update alone takes any
    User.objects.filter(id__in=ids).update(seats_version=F("seats_version") + 1, changed_at=Now())


def _save_counters(chat: Chat, *more: str) -> None:
    chat.changed_at = Now()
    chat.save(
        update_fields=["last_seq", "version", "member_count", "active_at", "changed_at", *more]
    )
