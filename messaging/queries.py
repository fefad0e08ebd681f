"""Questions about what was said: pages, last messages, unread counts."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from chatproject.errors import NotThere
from chats.models import Chat, Membership
from chats.talk import Unread
from messaging.models import Mention, Message
from messaging.serializers import Document, message_documents

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
    rows = Message.objects.filter(chat=chat, seq__gt=low, seq__lte=high)
    messages = rows.with_sender().order_by("seq")
    return {
        "results": message_documents(messages),
        "has_before": low > 0 and last > 0,
        "has_after": high < last,
    }


def message_in(chat: Chat, message_id: UUID) -> Message:
    """A message of this chat, with its sender. Raises NotThere."""
    found = Message.objects.select_related("sender").filter(chat=chat, id=message_id).first()
    if found is None:
        raise NotThere()
    return found


def last_messages(chats: Sequence[Chat]) -> dict[UUID, Document]:
    """By chat id, the newest message that is not deleted."""
    newest = (
        Message.objects.filter(chat=OuterRef("pk"), deleted_at=None)
        .order_by("-seq")
        .values("pk")[:1]
    )
    ids = Chat.objects.filter(pk__in=[chat.pk for chat in chats]).values_list(Subquery(newest))
    found = list(Message.objects.filter(pk__in=[row[0] for row in ids]).with_sender())
    documents = message_documents(found)
    return {message.chat_id: document for message, document in zip(found, documents, strict=True)}


def unread_counts(seats: Sequence[Membership]) -> dict[UUID, Unread]:
    """By chat id. The seats are one user's; their chats come with them.

    ``seq`` has no gap, so the unread are all above the mark but those that never count: one's
    own, system lines and deleted ones, which two partial indexes find without reading the rest.
    """
    rows = Membership.objects.filter(pk__in=[seat.pk for seat in seats])
    above = {"chat": OuterRef("chat"), "seq__gt": OuterRef("last_read_seq")}
    counted = rows.values_list(
        "chat_id",
        F("chat__last_seq") - F("last_read_seq"),
        _count(Message.objects.filter(_NEVER_UNREAD, **above)),
        _count(Message.objects.filter(sender=OuterRef("user"), deleted_at=None, **above)),
        _count(Mention.objects.filter(user=OuterRef("user"), **above)),
    )
    return {
        chat_id: Unread(min(span - never - own, UNREAD_CAP), min(mentions, UNREAD_CAP))
        for chat_id, span, never, own, mentions in counted
    }


_NEVER_UNREAD = Q(message_type=Message.Type.SYSTEM) | Q(deleted_at__isnull=False)


def first_unread_seq(seat: Membership) -> int | None:
    """Of what others said since the mark; None if they said nothing."""
    above = Message.objects.filter(chat=seat.chat_id, seq__gt=seat.last_read_seq)
    unread = above.exclude(_NEVER_UNREAD).exclude(sender=seat.user_id)
    return unread.order_by("seq").values_list("seq", flat=True).first()


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("chat").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0)
