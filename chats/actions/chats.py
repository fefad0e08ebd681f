"""What people do with chats."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction

from accounts import limits
from accounts.models import User
from chatproject.errors import Invalid
from chatproject.realtime import chat_deleted, publish
from chats import access, events, talk
from chats.actions.seats import count_seats, require_active, save_counters, seat_people
from chats.models import Chat, Membership, pair_of

Role = Membership.Role


def create_direct_chat(*, actor: User, peer: User) -> tuple[Chat, bool]:
    """The one direct chat of this pair, and whether it is new. Raises Invalid for oneself."""
    if peer.id == actor.id:
        raise Invalid("That is you.", attr="members")
    pair = pair_of(actor.id, peer.id)
    if found := Chat.objects.filter(pair=pair).first():
        return found, False
    require_active([peer], "members")
    try:
        with transaction.atomic():
            limits.count_change(actor)
            chat = Chat(type=Chat.Type.DIRECT, pair=pair, created_by=actor)
            chat.save(force_insert=True)
            seat_people(chat, [actor, peer])
            count_seats([actor, peer])
            save_counters(chat)
    except IntegrityError:  # the other one, or another device, was first
        return Chat.objects.get(pair=pair), False
    return chat, True


def create_group(*, actor: User, name: str, members: Sequence[User] = ()) -> Chat:
    """A group that the actor owns."""
    require_active(members, "members")
    people = [actor, *(user for user in members if user.id != actor.id)]
    with transaction.atomic():
        limits.count_change(actor)
        chat = Chat(type=Chat.Type.GROUP, name=name, created_by=actor)
        chat.save(force_insert=True)
        seat_people(chat, people, {actor.id: Role.OWNER})
        count_seats(people)
        talk.provided().post_system_message(chat, "created", actor, [], None)
        save_counters(chat)
    return chat


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
    save_counters(chat, "profile_version", *changes)
    publish(*envelopes)


def delete_chat(*, actor: User, chat: Chat) -> None:
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        access.require_owner(seat)
        delete(seat.chat)


def delete(chat: Chat) -> None:
    count_seats(list(User.objects.filter(memberships__chat=chat)))
    talk.provided().delete_messages(chat)
    publish(chat_deleted(chat.id))
    chat.delete()
