"""Chats, seats and marks as the protocol shows them, and what may be said about them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts import presence
from accounts.models import User
from accounts.preferences import preferences_of
from accounts.serializers import user_document
from chatproject.fields import (
    MAX_INTEGER,
    StrictBooleanField,
    StrictIntegerField,
    StrictTimeField,
    StrictUUIDField,
    VisibleTextField,
)
from chatproject.listed import as_list
from chatproject.prepared import Among, prepared
from chatproject.snapshots import snapshot
from chatproject.times import rfc3339, rfc3339_or_none
from chatproject.written import Written
from chats import access, talk
from chats.models import MAX_MEMBERS, Chat, Membership

Document = dict[str, Any]


def shared_chat_document(chat: Chat) -> Document:
    """What is the same for everybody in the chat."""
    return _shared(
        str(chat.id),
        chat.type,
        chat.name,
        chat.topic,
        str(chat.created_by_id) if chat.created_by_id else None,
        rfc3339(chat.created_at),
        chat.member_count,
        chat.last_seq,
        chat.version,
    )


def _shared(
    chat_id: str,
    kind: str,
    name: str | None,
    topic: str | None,
    created_by: str | None,
    created_at: str,
    member_count: int,
    last_seq: int,
    version: int,
) -> Document:
    return {
        "id": chat_id,
        "type": kind,
        "name": name,
        "topic": topic,
        "avatar_url": None,
        "created_by": created_by,
        "created_at": created_at,
        "member_count": member_count,
        "last_seq": last_seq,
        "version": version,
    }


def chat_documents(user: User, chat_ids: list[UUID]) -> list[Document]:
    """Chats as one of their members sees them, in this order, in a constant number of queries.

    For callers within a snapshot: counts and versions would not fit each other else.
    """
    listed = as_list((chat_id, user.id) for chat_id in chat_ids)
    rows = {row[0]: row for row in _shown_chats(listed)}
    unread = talk.provided().unread_counts(user.id, chat_ids)
    last = talk.provided().last_messages(chat_ids)
    peers = _peers(user, [UUID(key) for key, row in rows.items() if row[1] == Chat.Type.DIRECT])
    return [
        {
            **_shared(*rows[key][:SHARED]),
            "last_message": last.get(key),
            "me": _me(unread[key], *rows[key][SHARED:]),
            "peer": peers.get(key),
        }
        for key in map(str, chat_ids)
        if key in rows
    ]


def chat_document(user: User, chat: Chat) -> Document:
    """The same of one, whose shared part is of the moment when ``chat`` was read."""
    return {**chat_documents(user, [chat.id])[0], **shared_chat_document(chat)}


@snapshot()
def chat_seen_by(user: User, chat_id: UUID) -> Document:
    """The chat of this moment, with counts that fit its version. Raises NotThere."""
    return chat_document(user, access.seat_in(user, chat_id).chat)


SHARED = 9
"""So many columns of a shown chat are everybody's, the rest one's own."""


@prepared
def _shown_chats(listed: str) -> Any:
    return (
        Membership.objects.present()
        .seats(listed)
        .values_list(
            Written("chat_id"),
            "chat__type",
            "chat__name",
            "chat__topic",
            Written("chat__created_by_id"),
            Written("chat__created_at"),
            "chat__member_count",
            "chat__last_seq",
            "chat__version",
            "role",
            "last_read_seq",
            "notify",
            "pinned",
            Written("muted_until"),
        )
    )


def _peers(user: User, direct: list[UUID]) -> dict[str, Document]:
    if not direct:
        return {}
    seats = list(_others_seats(user.id, direct))
    online = presence.online_among([seat.user_id for seat in seats])
    return {
        str(seat.chat_id): user_document(seat.user, is_online=seat.user_id in online)
        for seat in seats
    }


@prepared
def _others_seats(user_id: UUID, chat_ids: list[UUID]) -> Any:
    rows = Membership.objects.filter(Among("chat", chat_ids)).exclude(user=user_id)
    return rows.select_related("user")


def me_document(seat: Membership) -> Document:
    """One's own marks and settings."""
    unread = talk.provided().unread_counts(seat.user_id, [seat.chat_id])
    return _me(
        unread[str(seat.chat_id)],
        seat.role,
        seat.last_read_seq,
        seat.notify,
        seat.pinned,
        rfc3339_or_none(seat.muted_until),
    )


@snapshot()
def me_seen_by(user: User, chat_id: UUID) -> Document:
    """One's own marks of this moment. Raises NotThere."""
    return me_document(access.seat_in(user, chat_id))


def _me(
    unread: talk.Unread,
    role: str,
    last_read_seq: int,
    notify: str,
    pinned: bool,
    muted_until: str | None,
) -> Document:
    return {
        "role": role,
        "last_read_seq": last_read_seq,
        "unread_count": unread.messages,
        "mention_count": unread.mentions,
        "notify": notify,
        "pinned": pinned,
        "muted_until": muted_until,
    }


MAX_MEMBERS_WITH_MARKS = 50
"""In larger chats nobody is told how far the others have read."""


def member_documents(chat: Chat, seats: Iterable[Membership]) -> list[Document]:
    """Several seats, with their users, in one query for presence."""
    return members_by_chat([chat], seats)[chat.id]


def members_by_chat(
    chats: Iterable[Chat], seats: Iterable[Membership]
) -> dict[UUID, list[Document]]:
    """The same of several chats, by chat id; a chat without seats has an empty list."""
    by_id = {chat.id: chat for chat in chats}
    found: dict[UUID, list[Document]] = {chat_id: [] for chat_id in by_id}
    seats = list(seats)
    online = presence.online_among([seat.user_id for seat in seats])
    for seat in seats:
        document = _member(by_id[seat.chat_id], seat, is_online=seat.user_id in online)
        found[seat.chat_id].append(document)
    return found


def _member(chat: Chat, seat: Membership, *, is_online: bool) -> Document:
    is_small = chat.member_count <= MAX_MEMBERS_WITH_MARKS
    shows_mark = is_small and preferences_of(seat.user).shows_read
    return {
        "user": user_document(seat.user, is_online=is_online),
        "role": seat.role,
        "joined_at": rfc3339(seat.joined_at),
        "left_at": rfc3339_or_none(seat.left_at),
        "last_read_seq": seat.last_read_seq if shows_mark else None,
    }


class SeqField(StrictIntegerField):
    def __init__(self, *, low: int = 0) -> None:
        super().__init__(min_value=low, max_value=MAX_INTEGER)


class NewChatSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=Chat.Type.choices)
    name = VisibleTextField(max_length=100, required=False)
    members = serializers.ListField(
        child=StrictUUIDField(), max_length=MAX_MEMBERS - 1, required=False, default=list
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["type"] == Chat.Type.GROUP and "name" not in given:
            raise serializers.ValidationError({"name": ["A group has a name."]}, code="required")
        if given["type"] == Chat.Type.DIRECT and len(given["members"]) != 1:
            raise serializers.ValidationError({"members": ["One person, please."]})
        return given


class OwnSettingsSerializer(serializers.Serializer[Any]):
    notify = serializers.ChoiceField(choices=Membership.Notify.choices, required=False)
    pinned = StrictBooleanField(required=False)
    muted_until = StrictTimeField(required=False, allow_null=True)


class ChatChangeSerializer(serializers.Serializer[Any]):
    name = VisibleTextField(max_length=100, required=False)
    topic = VisibleTextField(max_length=250, required=False, allow_null=True, allow_blank=True)
    me = OwnSettingsSerializer(required=False)


class NewMembersSerializer(serializers.Serializer[Any]):
    user_ids = serializers.ListField(
        child=StrictUUIDField(), min_length=1, max_length=MAX_MEMBERS - 1
    )


class RoleSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class ReadSerializer(serializers.Serializer[Any]):
    seq = SeqField()


class UnreadSerializer(serializers.Serializer[Any]):
    seq = SeqField(low=1)
