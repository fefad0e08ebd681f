"""What changed in chats after the versions that a client has."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    F,
    Func,
    IntegerField,
    Model,
    OuterRef,
    Subquery,
    Value,
)

from accounts.models import User
from chatproject.snapshots import snapshot
from chats.models import Chat, Membership
from chats.serializers import chat_documents, members_by_chat
from messaging.models import Message
from messaging.serializers import Document, message_documents

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
    recent = list(Chat.objects.of(user).by_activity()[: MAX_SYNC_CHATS + 1])
    others = known.keys() - {chat.id for chat in recent}
    named = [chat for chat in recent if chat.id in known]
    named += Chat.objects.of(user).by_activity().filter(id__in=others)
    is_same_epoch = known_epoch in (None, epoch)
    since = {chat.id: known[chat.id] if is_same_epoch else chat.version + 1 for chat in named}
    behind = [chat for chat in named if since[chat.id] != chat.version]
    return {
        "epoch": epoch,
        "chats": chat_documents(user, recent[:MAX_SYNC_CHATS]),
        "more": len(recent) > MAX_SYNC_CHATS,
        "changes": [
            {"chat_id": str(chat.id), **change}
            for chat, change in zip(behind, _within_bytes(_changes(behind, since)), strict=True)
        ],
        "gone": [str(chat_id) for chat_id in known if chat_id not in since],
    }


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
    sizes = _sizes(chats, since)
    fitting = _fitting(chats, since, sizes)
    messages = _changed(Message, [chat for chat in fitting if sizes[chat.id].messages], since)
    seats = _changed(Membership, [chat for chat in fitting if sizes[chat.id].members], since)
    said: dict[str, list[Document]] = {str(chat.id): [] for chat in fitting}
    for document in message_documents(messages.with_sender().order_by("seq")):
        said[document["chat_id"]].append(document)
    seated = members_by_chat(fitting, seats.select_related("user").order_by("version"))
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


def _fitting(chats: Sequence[Chat], since: Versions, sizes: dict[UUID, "_Size"]) -> list[Chat]:
    """Those whose changes there is room for: 500 messages and as many members in all."""
    taken, found = _Size(0, 0), []
    for chat in chats:
        if since[chat.id] <= chat.version and chat.id in sizes:
            more = _Size(*map(sum, zip(taken, sizes[chat.id], strict=True)))
            if max(more) <= MAX_CHANGES:
                taken = more
                found.append(chat)
    return found


def _changed(model: type[Model], chats: Sequence[Chat], since: Versions) -> Any:
    rows = model._default_manager
    spans = [(chat.id, since[chat.id] + 1, chat.version) for chat in chats]
    return rows.filter(_Within(spans)) if spans else rows.none()


class _Within(Func):
    """Whether a row's version is within the span given for its chat.

    What a ``Q`` for each chat would say, in a tenth of the time.
    """

    output_field = BooleanField()

    def __init__(self, spans: Sequence[tuple[UUID, int, int]]) -> None:
        super().__init__(F("chat"), F("version"))
        self.spans = spans

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        chat, version = (compiler.compile(field)[0] for field in self.source_expressions)
        one = f"({chat} = %s AND {version} BETWEEN %s AND %s)"
        key = Chat._meta.pk.get_db_prep_value
        params = [(key(chat_id, connection), *span) for chat_id, *span in self.spans]
        return f"({' OR '.join([one] * len(params))})", list(chain.from_iterable(params))


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
