"""Questions about what was said: pages, last messages, unread counts."""

from typing import Any
from uuid import UUID

from django.db.models import (
    BooleanField,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
)
from django.db.models.functions import Cast, Coalesce

from chatproject.errors import NotThere
from chatproject.listed import as_list
from chatproject.prepared import Among, prepared
from chatproject.written import Written
from chats.models import Chat, Membership
from chats.talk import Unread
from messaging.models import Mention, Message
from messaging.serializers import Document, shown, shown_documents

UNREAD_CAP = 1000
"""A count of 1000 means "more than 999"."""


def page(
    chat: Chat,
    *,
    limit: int,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Document:
    """A page of history by rising seq; the newest if no seq is given."""
    last = chat.last_seq
    if after is not None:
        low = after
    elif around is not None:
        low = min(max(around - limit // 2 - 1, 0), max(last - limit, 0))
    else:
        low = max((min(before, last + 1) if before else last + 1) - 1 - limit, 0)
    high = min(low + limit, last, (before or last + 1) - 1)
    return {
        "results": shown_documents(_between(chat.id, low, high)),
        "has_before": low > 0 and last > 0,
        "has_after": high < last,
    }


@prepared
def _between(chat_id: UUID, low: int, high: int) -> Any:
    rows = Message.objects.filter(chat=chat_id, seq__gt=low, seq__lte=high)
    return shown(rows.order_by("seq"))


def message_in(chat: Chat, message_id: UUID) -> Message:
    """A message of this chat, with its sender. Raises NotThere."""
    found = Message.objects.select_related("sender").filter(chat=chat, id=message_id).first()
    if found is None:
        raise NotThere()
    return found


def last_messages(chat_ids: list[UUID]) -> dict[str, Document]:
    """By chat id, the newest message that is not deleted."""
    newest = [key for key in _newest_in(chat_ids) if key]
    return {document["chat_id"]: document for document in shown_documents(_shown(newest))}


@prepared
def _newest_in(chat_ids: list[UUID]) -> Any:
    kept = Message.objects.filter(chat=OuterRef("pk"), deleted_at=None).order_by("-seq")
    newest = Cast(Subquery(kept.values("pk")[:1]), TextField())
    return Chat.objects.filter(Among("pk", chat_ids)).values_list(newest, flat=True)


@prepared
def _shown(message_ids: list[str]) -> Any:
    return shown(Message.objects.filter(Among("pk", message_ids)))


def unread_counts(user_id: UUID, chat_ids: list[UUID]) -> dict[str, Unread]:
    """By chat id, for a member of them.

    ``seq`` has no gap, so the unread are all above the mark but those that never count: one's
    own, system lines and deleted ones, which two partial indexes find without reading the rest.
    """
    return {
        chat_id: Unread(min(span - never - own, UNREAD_CAP), min(mentions, UNREAD_CAP))
        for chat_id, span, never, own, mentions in _counted(
            as_list((chat_id, user_id) for chat_id in chat_ids)
        )
    }


@prepared
def _counted(listed: str) -> Any:
    above = {"chat": OuterRef("chat"), "seq__gt": OuterRef("last_read_seq")}
    return Membership.objects.seats(listed).values_list(
        Written("chat_id"),
        F("chat__last_seq") - F("last_read_seq"),
        _count(Message.objects.filter(_NEVER_UNREAD, **above)),
        _count(Message.objects.filter(sender=OuterRef("user"), deleted_at=None, **above)),
        _count(Mention.objects.filter(user=OuterRef("user"), **above)),
    )


# A plan for any value of a parameter can't use the partial index, and reads all since the mark.
_IS_SYSTEM = Func(
    F("message_type"), template="%(expressions)s = 'system'", output_field=BooleanField()
)
_NEVER_UNREAD = Q(_IS_SYSTEM) | Q(deleted_at__isnull=False)


def first_unread_seq(seat: Membership) -> int | None:
    """Of what others said since the mark; None if they said nothing."""
    above = Message.objects.filter(chat=seat.chat_id, seq__gt=seat.last_read_seq)
    unread = above.exclude(_NEVER_UNREAD).exclude(sender=seat.user_id)
    return unread.order_by("seq").values_list("seq", flat=True).first()


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("chat").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)
