"""Messages as the protocol shows them, and what may be said about them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.serializers import person_document
from chatproject.fields import (
    ExactTextField,
    StrictTextField,
    StrictUUIDField,
    VisibleTextField,
)
from chatproject.times import rfc3339, rfc3339_or_none
from messaging.emojis import emoji_key
from messaging.models import Message, Reaction

Document = dict[str, Any]

MAX_CONTENT = 10_000


def message_documents(messages: Iterable[Message]) -> list[Document]:
    """Messages, with their senders, in one query for their reactions."""
    messages = list(messages)
    reactions = _reactions_to([message.id for message in messages])
    return [message_document(message, reactions.get(message.id, [])) for message in messages]


def message_document(message: Message, reactions: Sequence[Document]) -> Document:
    """One message, the same for every reader."""
    sender = message.sender
    return {
        "id": str(message.id),
        "chat_id": str(message.chat_id),
        "seq": message.seq,
        "version": message.version,
        "sender_id": str(message.sender_id) if sender else None,
        "sender": person_document(sender) if sender else None,
        "message_type": message.message_type,
        "content": message.content,
        "html": message.html,
        "client_id": message.client_id,
        "reply_to": str(message.reply_to) if message.reply_to else None,
        "attachments": [],
        "reactions": reactions,
        "mentions": message.mentions,
        "system": message.system,
        "created_at": rfc3339(message.created_at),
        "edited_at": rfc3339_or_none(message.edited_at),
        "deleted_at": rfc3339_or_none(message.deleted_at),
    }


def _reactions_to(message_ids: list[UUID]) -> dict[UUID, list[Document]]:
    """By message: each emoji as it was first sent, with who reacted, in order."""
    rows = Reaction.objects.filter(message__in=message_ids).order_by("id")
    found: dict[UUID, dict[str, Document]] = {}
    for message_id, emoji, key, user_id in rows.values_list(
        "message_id", "emoji", "emoji_key", "user_id"
    ):
        by_key = found.setdefault(message_id, {})
        by_key.setdefault(key, {"emoji": emoji, "user_ids": []})["user_ids"].append(str(user_id))
    return {message_id: list(by_key.values()) for message_id, by_key in found.items()}


class ContentField(VisibleTextField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_CONTENT, **options)


class EmojiField(StrictTextField):
    def to_internal_value(self, data: str) -> str:
        if emoji_key(data) is None:
            raise serializers.ValidationError("One emoji, please.", code="invalid")
        return data


class SendSerializer(serializers.Serializer[Any]):
    content = ContentField()
    client_id = ExactTextField(max_length=64, required=False, allow_null=True)
    message_type = serializers.ChoiceField(choices=["text"], required=False)
    reply_to = StrictUUIDField(required=False, allow_null=True)
    attachment_ids = serializers.ListField(
        child=StrictUUIDField(), max_length=0, required=False, allow_null=True
    )


class EditSerializer(serializers.Serializer[Any]):
    content = ContentField()


class EmojiSerializer(serializers.Serializer[Any]):
    emoji = EmojiField(max_length=64)
