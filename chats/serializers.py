"""Chats, seats and marks as the protocol shows them, and what may be said about them."""

from collections.abc import Iterable, Sequence
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
from chatproject.prepared import Among, prepared
from chatproject.snapshots import snapshot
from chatproject.times import rfc3339, rfc3339_or_none
from chats import access, talk
from chats.models import MAX_MEMBERS, Chat, Membership

Document = dict[str, Any]


def shared_chat_document(chat: Chat) -> Document:
    """What is the same for everybody in the chat."""
    return {
        "id": str(chat.id),
        "type": chat.type,
        "name": chat.name,
        "topic": chat.topic,
        "avatar_url": None,
        "created_by": str(chat.created_by_id) if chat.created_by_id else None,
        "created_at": rfc3339(chat.created_at),
        "member_count": chat.member_count,
        "last_seq": chat.last_seq,
        "version": chat.version,
    }


def chat_documents(user: User, chats: Iterable[Chat]) -> list[Document]:
    """Chats as one of their members sees them, in a constant number of queries."""
    chats = list(chats)
    seats = {seat.chat_id: seat for seat in _present_seats(user.id, [chat.id for chat in chats])}
    unread = talk.provided().unread_counts(list(seats.values()))
    last = talk.provided().last_messages(chats)
    peers = _peers(user, chats)
    return [
        {
            **shared_chat_document(chat),
            "last_message": last.get(chat.id),
            "me": _me(seats[chat.id], unread[chat.id]),
            "peer": peers.get(chat.id),
        }
        for chat in chats
        if chat.id in seats
    ]


def chat_document(user: User, chat: Chat) -> Document:
    return chat_documents(user, [chat])[0]


@snapshot()
def chat_seen_by(user: User, chat_id: UUID) -> Document:
    """The chat of this moment, with counts that fit its version. Raises NotThere."""
    return chat_document(user, access.seat_in(user, chat_id).chat)


@prepared
def _present_seats(user_id: UUID, chat_ids: list[UUID]) -> Any:
    rows = Membership.objects.present().filter(Among("chat", chat_ids), user=user_id)
    return rows.values_list(
        "id", "chat_id", "role", "last_read_seq", "notify", "pinned", "muted_until", named=True
    )


def _peers(user: User, chats: Sequence[Chat]) -> dict[UUID, Document]:
    direct = [chat.id for chat in chats if chat.is_direct]
    if not direct:
        return {}
    seats = list(_others_seats(user.id, direct))
    online = presence.online_among([seat.user_id for seat in seats])
    return {
        seat.chat_id: user_document(seat.user, is_online=seat.user_id in online) for seat in seats
    }


@prepared
def _others_seats(user_id: UUID, chat_ids: list[UUID]) -> Any:
    rows = Membership.objects.filter(Among("chat", chat_ids)).exclude(user=user_id)
    return rows.select_related("user")


def me_document(seat: Membership) -> Document:
    """One's own marks and settings; the seat comes with its chat."""
    return _me(seat, talk.provided().unread_counts([seat])[seat.chat_id])


@snapshot()
def me_seen_by(user: User, chat_id: UUID) -> Document:
    """One's own marks of this moment. Raises NotThere."""
    return me_document(access.seat_in(user, chat_id))


def _me(seat: Membership, unread: talk.Unread) -> Document:
    return {
        "role": seat.role,
        "last_read_seq": seat.last_read_seq,
        "unread_count": unread.messages,
        "mention_count": unread.mentions,
        "notify": seat.notify,
        "pinned": seat.pinned,
        "muted_until": rfc3339_or_none(seat.muted_until),
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
