"""What changed in chats after the versions that a client has."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import (
    BigIntegerField,
    Func,
    IntegerField,
    Model,
    OuterRef,
    Subquery,
    Value,
)

from accounts.models import User
from chatproject.listed import IsListed, as_list
from chatproject.prepared import prepared
from chatproject.snapshots import snapshot
from chats.models import Chat, Membership
from chats.serializers import chat_documents, members_by_chat
from messaging.models import Message
from messaging.serializers import Document, shown, shown_documents

MAX_CHANGES = 500
MAX_SYNC_BYTES = 512 * 1024
MAX_SYNC_CHATS = 200

Versions = dict[UUID, int]


def changes(chat: Chat, since: int) -> Document:
    """All that changed in a chat after a version, as it is now.

    ``chat`` was read before its rows: what is newer waits for its own event. ``complete`` is
    False, and nothing else said, where it is more than 500 messages or members.
    """
    return _changes([chat], {chat.id: since})[0]


@snapshot()
def sync(user: User, *, epoch: str, known_epoch: str | None, known: Versions) -> Document:
    """What somebody missed: their chats, and the changes in those whose version they name."""
    recent = list(_recent_chats(user.id))
    others = known.keys() - {chat.id for chat in recent}
    named = [chat for chat in recent if chat.id in known]
    if others:
        named += Chat.objects.of(user).by_activity().filter(id__in=others)
    is_same_epoch = known_epoch in (None, epoch)
    since = {chat.id: known[chat.id] if is_same_epoch else chat.version + 1 for chat in named}
    behind = [chat for chat in named if since[chat.id] != chat.version]
    return {
        "epoch": epoch,
        "chats": chat_documents(user, [chat.id for chat in recent[:MAX_SYNC_CHATS]]),
        "more": len(recent) > MAX_SYNC_CHATS,
        "changes": [
            {"chat_id": str(chat.id), **change}
            for chat, change in zip(behind, _within_bytes(_changes(behind, since)), strict=True)
        ],
        "gone": [str(chat_id) for chat_id in known if chat_id not in since],
    }


@prepared
def _recent_chats(user_id: UUID) -> Any:
    return Chat.objects.of(user_id).by_activity()[: MAX_SYNC_CHATS + 1]


def _within_bytes(found: Iterable[Document]) -> Iterable[Document]:
    space = MAX_SYNC_BYTES
    for change in found:
        size = len(orjson.dumps(change))
        if size > space:
            yield _incomplete(change["version"])
        else:
            space -= size
            yield change


def _incomplete(version: int) -> Document:
    return {"members": [], "messages": [], "version": version, "complete": False}


def _changes(chats: Sequence[Chat], since: Versions) -> list[Document]:
    """For each chat in turn. The number of queries does not grow with the chats."""
    fitting = _fitting(chats, since)
    said: dict[str, list[Document]] = {str(chat.id): [] for chat in fitting}
    for document in shown_documents(_messages_within(_spans(fitting, since)) if fitting else []):
        said[document["chat_id"]].append(document)
    rest = [chat for chat in fitting if len(said[str(chat.id)]) < chat.version - since[chat.id]]
    seated = members_by_chat(fitting, _seats_within(_spans(rest, since)) if rest else [])
    return [
        {
            "members": seated[chat.id],
            "messages": said[str(chat.id)],
            "version": chat.version,
            "complete": True,
        }
        if chat.id in seated
        else _incomplete(chat.version)
        for chat in chats
    ]


def _fitting(chats: Sequence[Chat], since: Versions) -> list[Chat]:
    """Those whose changes there is room for: 500 messages and as many members in all."""
    known = [chat for chat in chats if since[chat.id] <= chat.version]
    if sum(chat.version - since[chat.id] for chat in known) <= MAX_CHANGES:
        return known  # each version is the last change of one row at most
    sizes, taken, found = _sizes(known, since), _Size(0, 0), []
    for chat in known:
        if chat.id in sizes:
            more = _Size(*map(sum, zip(taken, sizes[chat.id], strict=True)))
            if max(more) <= MAX_CHANGES:
                taken = more
                found.append(chat)
    return found


@prepared
def _messages_within(spans: str) -> Any:
    return shown(Message.objects.filter(IsListed(Message, _WITHIN, spans)).order_by("seq"))


@prepared
def _seats_within(spans: str) -> Any:
    rows = Membership.objects.filter(IsListed(Membership, _WITHIN, spans))
    return rows.select_related("user").order_by("version")


def _spans(chats: Sequence[Chat], since: Versions) -> str:
    return as_list((chat.id, since[chat.id] + 1, chat.version) for chat in chats)


_WITHIN = "chat_id = {0:uuid} AND version BETWEEN {1:bigint} AND {2:bigint}"


class _Size(NamedTuple):
    messages: int
    members: int


def _sizes(chats: Sequence[Chat], since: Versions) -> dict[UUID, _Size]:
    """How many rows of each chat changed, counted up to 501, in one query.

    Per chat from an index, so that a chat of a million costs no more than one of a thousand.
    """
    rows = Chat.objects.filter(pk__in=[chat.pk for chat in chats])
    counted = rows.values_list("pk", _count(Message, since), _count(Membership, since))
    return {pk: _Size(messages, members) for pk, messages, members in counted}


def _count(model: type[Model], since: Versions) -> Subquery:
    newer = model._default_manager.filter(chat=OuterRef("pk"), version__gt=_Named(since))
    return _CountOf(newer.values("version")[: MAX_CHANGES + 1])


class _CountOf(Subquery):
    """The number of rows of a subquery, which may have a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


class _Named(Func):
    """The version that was named for the chat of the outer query."""

    output_field = BigIntegerField()

    def __init__(self, versions: Versions) -> None:
        field = Chat._meta.pk
        keyed = {str(field.get_db_prep_value(key, connection)): versions[key] for key in versions}
        super().__init__(Value(orjson.dumps(keyed).decode()), OuterRef("pk"))

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        options = {"template": "(%(expressions)s::text)::bigint", "arg_joiner": "::jsonb ->> "}
        return self.as_sql(compiler, connection, **options, **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        options = {"template": "json_extract(%(expressions)s)", "arg_joiner": ", '$.' || "}
        return self.as_sql(compiler, connection, **options, **context)
