"""How messages stand beneath each other: groups, days, and where the unread begin."""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from messaging.formatting import preview, safe
from messaging.models import Message
from messaging.serializers import Document

GROUP_GAP = timedelta(minutes=5)
"""One person's messages within this time share a head."""


class Reply(NamedTuple):
    """What a message shows of the one that it answers."""

    name: str
    text: str
    seq: int


class Row(NamedTuple):
    """A message with what depends on its neighbours and on who reads it."""

    message: Document
    html: str
    created_at: datetime
    is_first: bool
    is_own: bool
    is_mention: bool
    day: date | None
    is_first_unread: bool
    reply: Reply | None


def rows(messages: list[Document], *, reader_id: str, last_read_seq: int) -> list[Row]:
    """Rows for the page, in one query for the messages that are answered."""
    answered = _answered(messages)
    found: list[Row] = []
    divider_is_open = True
    for message in messages:
        before = found[-1] if found else None
        is_unread = message["seq"] > last_read_seq and message["sender_id"] not in (reader_id, None)
        starts_unread = divider_is_open and is_unread
        divider_is_open = divider_is_open and not is_unread
        found.append(
            _row(
                message,
                before,
                reader_id,
                starts_unread=starts_unread,
                reply=answered.get(message["reply_to"]),
            )
        )
    return found


def _row(message: Document, before: Row | None, reader_id: str, **more: Any) -> Row:
    created_at = datetime.fromisoformat(message["created_at"])
    is_new_day = before is None or before.created_at.date() != created_at.date()
    is_own = message["sender_id"] == reader_id
    return Row(
        message=message,
        html=safe(message["html"]),
        created_at=created_at,
        is_first=is_new_day or more["starts_unread"] or not _continues(message, before, created_at),
        is_own=is_own,
        is_mention=reader_id in message["mentions"],
        day=created_at.date() if is_new_day else None,
        is_first_unread=more["starts_unread"],
        reply=more["reply"],
    )


def _continues(message: Document, before: Row | None, created_at: datetime) -> bool:
    if before is None or message["system"] or before.message["system"] or message["reply_to"]:
        return False
    is_same = before.message["sender_id"] == message["sender_id"]
    return is_same and created_at - before.created_at < GROUP_GAP


def _answered(messages: list[Document]) -> dict[str | None, Reply]:
    ids = {message["reply_to"] for message in messages if message["reply_to"]}
    if not ids:
        return {}
    found = Message.objects.filter(id__in=ids).with_sender()
    return {str(message.id): _reply_to(message) for message in found}


def _reply_to(message: Message) -> Reply:
    name = message.sender.display_name if message.sender else ""
    text = "Message deleted" if message.is_deleted else preview(message.content)
    return Reply(name, text, message.seq)
