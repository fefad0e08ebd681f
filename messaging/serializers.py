"""Messages as the protocol shows them, and what may be said about them."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db.models import OuterRef, Subquery, TextField
from rest_framework import serializers

from accounts.serializers import person
from chatproject.fields import (
    ExactTextField,
    StrictTextField,
    StrictUUIDField,
    VisibleTextField,
)
from chatproject.times import rfc3339, rfc3339_or_none
from chatproject.written import Written
from messaging.emojis import emoji_key
from messaging.models import Message, MessageQuerySet, Reaction

Document = dict[str, Any]

MAX_CONTENT = 10_000


def message_documents(messages: Iterable[Message]) -> list[Document]:
    """Messages, with their senders, in one query for their reactions."""
    messages = list(messages)
    rows = Message.objects.filter(pk__in=[message.id for message in messages])
    reactions = dict(rows.values_list("pk", ReactionsTo()))
    return [message_document(message, _by_emoji(reactions.get(message.id))) for message in messages]


def message_document(message: Message, reactions: Sequence[Document]) -> Document:
    """One message, the same for every reader."""
    sender = message.sender
    return _document(
        reactions,
        message.mentions,
        message.system,
        str(message.id),
        str(message.chat_id),
        message.seq,
        message.version,
        str(sender.id) if sender else None,
        sender.username if sender else None,
        sender.display_name if sender else None,
        message.message_type,
        message.content,
        message.html,
        message.client_id,
        str(message.reply_to) if message.reply_to else None,
        rfc3339(message.created_at),
        rfc3339_or_none(message.edited_at),
        rfc3339_or_none(message.deleted_at),
    )


def shown(messages: MessageQuerySet) -> Any:
    """All that is shown of messages, in one query: rows for ``shown_documents``."""
    return messages.values_list(
        ReactionsTo(),
        Written("mentions"),
        Written("system"),
        Written("id"),
        Written("chat_id"),
        "seq",
        "version",
        Written("sender_id"),
        "sender__username",
        "sender__display_name",
        "message_type",
        "content",
        "html",
        "client_id",
        Written("reply_to"),
        Written("created_at"),
        Written("edited_at"),
        Written("deleted_at"),
    )


def shown_documents(rows: Iterable[Sequence[Any]]) -> list[Document]:
    """The documents of messages, in a fraction of the time that it takes to make objects first."""
    return [
        _document(_by_emoji(reactions), _loaded(mentions), _loaded(system), *rest)
        for reactions, mentions, system, *rest in rows
    ]


def _document(
    reactions: Sequence[Document],
    mentions: list[str],
    system: Document | None,
    message_id: str,
    chat_id: str,
    seq: int,
    version: int,
    sender_id: str | None,
    username: str | None,
    display_name: str | None,
    message_type: str,
    content: str,
    html: str,
    client_id: str | None,
    reply_to: str | None,
    created_at: str,
    edited_at: str | None,
    deleted_at: str | None,
) -> Document:
    sender = person(sender_id, username, display_name) if sender_id else None
    return {
        "id": message_id,
        "chat_id": chat_id,
        "seq": seq,
        "version": version,
        "sender_id": sender_id,
        "sender": sender,
        "message_type": message_type,
        "content": content,
        "html": html,
        "client_id": client_id,
        "reply_to": reply_to,
        "attachments": [],
        "reactions": reactions,
        "mentions": mentions,
        "system": system,
        "created_at": created_at,
        "edited_at": edited_at,
        "deleted_at": deleted_at,
    }


def _loaded(text: str | None) -> Any:
    return orjson.loads(text) if text else None


def _by_emoji(reactions: str | None) -> list[Document]:
    """Each emoji as it was first sent, with who reacted, in order."""
    found: dict[str, Document] = {}
    for _, emoji, key, user_id in sorted(_loaded(reactions) or ()):
        found.setdefault(key, {"emoji": emoji, "user_ids": []})["user_ids"].append(user_id)
    return list(found.values())


class ReactionsTo(Subquery):
    """Those to each message, as JSON: a list of ``[id, emoji, emoji_key, user_id]``, or nothing."""

    output_field = TextField()

    def __init__(self) -> None:
        rows = Reaction.objects.filter(message=OuterRef("pk"))
        super().__init__(rows.values("id", "emoji", "emoji_key", who=Written("user_id")))

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self.as_sql(compiler, connection, template=_LIST_OF_ROWS["postgresql"])

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> Any:
        return self.as_sql(compiler, connection, template=_LIST_OF_ROWS["sqlite"])


_LIST_OF_ROWS = {
    "postgresql": "(SELECT jsonb_agg(jsonb_build_array(id, emoji, emoji_key, who))::text"
    " FROM (%(subquery)s) reactions)",
    "sqlite": "(SELECT NULLIF(json_group_array(json_array(id, emoji, emoji_key, who)), '[]')"
    " FROM (%(subquery)s) reactions)",
}


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
