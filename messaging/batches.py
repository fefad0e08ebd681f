"""All sends that wait in a process, stored in one transaction."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts import limits
from accounts.models import SignIn, User
from chatproject.errors import Invalid, NotSignedIn, NotThere, Problem, RateLimited
from chatproject.listed import IsListed, as_list
from chatproject.prepared import Among, prepared
from chatproject.realtime import publish
from chats.models import Chat, Membership
from messaging import mentions
from messaging.events import message_changed
from messaging.formatting import to_html
from messaging.models import Mention, Message
from messaging.serializers import Document, message_document, message_documents

_SAID = "chat_id = {0:uuid} AND sender_id = {1:uuid}"


class Posted(NamedTuple):
    """What became of a send: the stored message, and whether this send stored it."""

    message: Document
    is_new: bool


@dataclass(eq=False, slots=True)
class Send:
    """One message that somebody wants to send. ``sign_in_id`` is checked where it is given."""

    sender_id: UUID
    sign_in_id: UUID | None
    chat_id: UUID
    content: str
    client_id: str | None = None
    reply_to: UUID | None = None

    @property
    def seat_key(self) -> tuple[UUID, UUID]:
        return self.chat_id, self.sender_id

    @property
    def repeat_key(self) -> tuple[UUID, UUID, str] | None:
        return (self.chat_id, self.sender_id, self.client_id) if self.client_id else None


def write_batch(batch: Sequence[Send]) -> list[Posted | Exception]:
    """Stores what may be stored of a batch, in order, and tells the hubs after the commit."""
    with transaction.atomic():
        known = _Known(batch)
        outcomes: list[Any] = []
        new: list[Message] = []
        for send in batch:
            outcome = known.answer_to(send)
            if isinstance(outcome, Message):
                new.append(outcome)
            outcomes.append(outcome)
        documents = _store(known, new)
    return [
        Posted(documents[outcome.id], True) if isinstance(outcome, Message) else outcome
        for outcome in (_resolved(outcome, documents) for outcome in outcomes)
    ]


class _Repeat(NamedTuple):
    """A send whose first is in the same batch."""

    message: Message


def _resolved(outcome: Any, documents: dict[UUID, Document]) -> Any:
    if isinstance(outcome, _Repeat):
        return Posted(documents[outcome.message.id], False)
    return outcome


def _store(known: "_Known", new: list[Message]) -> dict[UUID, Document]:
    if not new:
        return {}
    Message.objects.bulk_create(new)
    mentioned = [row for message in new for row in message.mention_rows()]
    if mentioned:
        Mention.objects.bulk_create(mentioned)
    _count_up(Counter(message.chat_id for message in new), known.now)
    documents = {message.id: message_document(message, []) for message in new}
    publish(*(message_changed(message, documents[message.id]) for message in new))
    return documents


def _count_up(counts: Counter[UUID], now: datetime) -> None:
    """Moves the counters of the chats that got messages."""
    said_at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(COUNT_UP[connection.vendor], [said_at, as_list(counts.items())])


# What a QuerySet would ask takes twice as long to write as all of it to carry out.
COUNT_UP = {
    "postgresql": """
        UPDATE chats SET last_seq = last_seq + (item ->> 1)::bigint,
            version = version + (item ->> 1)::bigint,
            active_at = %s, changed_at = STATEMENT_TIMESTAMP()
        FROM jsonb_array_elements(%s::jsonb) item WHERE id = (item ->> 0)::uuid
    """,
    "sqlite": """
        UPDATE chats SET last_seq = last_seq + json_extract(item.value, '$[1]'),
            version = version + json_extract(item.value, '$[1]'),
            active_at = %s, changed_at = STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')
        FROM json_each(%s) item WHERE chats.id = json_extract(item.value, '$[0]')
    """,
}


class _Known:
    """All that is to be known of a batch, read in one query each, with the chats locked first."""

    def __init__(self, batch: Sequence[Send]) -> None:
        chat_ids = {send.chat_id for send in batch}
        self.chats = {chat.id: chat for chat in _locked(list(chat_ids))}
        self._sign_ins = _valid_sign_ins(batch)
        self._senders = _senders(batch)
        self._repeats = _repeats(batch)
        self._reply_targets = _reply_targets(batch)
        self._people = _mentioned_people(batch, chat_ids)
        self._taken = limits.take("message", self._count_new(batch))
        self._left = {sender_id: taken.granted for sender_id, taken in self._taken.items()}
        self.now = timezone.now()

    def answer_to(self, send: Send) -> Message | Posted | _Repeat | Problem:
        """A new message with its numbers, the one stored before, or why there is none."""
        return self._known_answer(send) or self._refusal(send) or self._new_message(send)

    def _known_answer(self, send: Send) -> Posted | _Repeat | Problem | None:
        if send.sign_in_id and send.sign_in_id not in self._sign_ins:
            return NotSignedIn("This sign-in has ended.")
        if send.seat_key not in self._senders or send.chat_id not in self.chats:
            return NotThere()
        if send.repeat_key in self._repeats:
            return self._repeats[send.repeat_key]
        if send.reply_to and (send.chat_id, send.reply_to) not in self._reply_targets:
            return Invalid("There is no such message here.", code="does_not_exist", attr="reply_to")
        return None

    def _count_new(self, batch: Sequence[Send]) -> Counter[UUID]:
        """How many messages each sender would store: one for all sends of a ``client_id``."""
        new = [send for send in batch if self._known_answer(send) is None]
        return Counter({send.repeat_key or send: send.sender_id for send in new}.values())

    def _refusal(self, send: Send) -> Problem | None:
        if not self._left[send.sender_id]:
            retry_after = self._taken[send.sender_id].retry_after
            return RateLimited(limits.TOO_FAST, retry_after=retry_after)
        self._left[send.sender_id] -= 1
        return None

    def _new_message(self, send: Send) -> Message:
        chat = self.chats[send.chat_id]
        sender = self._senders[send.seat_key]
        chat.last_seq += 1
        chat.version += 1
        people = self._people.get(send.chat_id, {})
        mentioned = mentions.resolve(send.content, people) if people else []
        message = Message(
            chat=chat,
            seq=chat.last_seq,
            version=chat.version,
            created_version=chat.version,
            sender=sender,
            content=send.content,
            html=to_html(send.content, people_shown(people)),
            client_id=send.client_id,
            reply_to=send.reply_to,
            mentions=[str(user.id) for user in mentioned],
            created_at=self.now,
        )
        if send.repeat_key:
            self._repeats[send.repeat_key] = _Repeat(message)
        return message


def people_shown(people: dict[str, User]) -> dict[str, tuple[str, str]]:
    """By lower-cased username: the id and the name that a mention shows."""
    return {name: (str(user.id), user.display_name) for name, user in people.items()}


@prepared
def _locked(chat_ids: list[UUID]) -> Any:
    return Chat.objects.locked().filter(Among("id", chat_ids)).only("last_seq", "version")


def _valid_sign_ins(batch: Sequence[Send]) -> set[UUID]:
    ids = list({send.sign_in_id for send in batch if send.sign_in_id})
    return set(_valid(ids)) if ids else set()


@prepared
def _valid(sign_in_ids: list[UUID]) -> Any:
    return SignIn.objects.valid().filter(Among("id", sign_in_ids)).values_list("id", flat=True)


def _senders(batch: Sequence[Send]) -> dict[tuple[UUID, UUID], User]:
    """Those who have a seat where they send to, with what messages show of them."""
    seats = _seats(as_list({send.seat_key for send in batch}))
    return {(seat.chat_id, seat.user_id): seat.user for seat in seats}


@prepared
def _seats(listed: str) -> Any:
    rows = Membership.objects.present().seats(listed)
    shown = ("chat", "user__username", "user__display_name")
    return rows.select_related("user").only("user", *shown)


def _repeats(batch: Sequence[Send]) -> dict[Any, Posted | _Repeat]:
    keys = {send.repeat_key for send in batch if send.repeat_key}
    found = list(_stored(as_list(keys))) if keys else []
    if not found:
        return {}
    return {
        (message.chat_id, message.sender_id, message.client_id): Posted(document, False)
        for message, document in zip(found, message_documents(found), strict=True)
    }


@prepared
def _stored(listed: str) -> Any:
    return Message.objects.filter(IsListed(Message, _SAID, listed, last="client_id")).with_sender()


def _reply_targets(batch: Sequence[Send]) -> set[tuple[UUID, UUID]]:
    ids = {send.reply_to for send in batch if send.reply_to}
    if not ids:
        return set()
    return set(Message.objects.filter(id__in=ids).values_list("chat_id", "id"))


def _mentioned_people(batch: Sequence[Send], chat_ids: set[UUID]) -> dict[UUID, dict[str, User]]:
    names = set().union(*(mentions.candidates(send.content) for send in batch))
    return people_named(names, chat_ids) if names else {}


def people_named(names: set[str], chat_ids: Iterable[UUID]) -> dict[UUID, dict[str, User]]:
    """By chat id: its present members with one of these lower-cased usernames."""
    rows = Membership.objects.present().filter(
        chat__in=chat_ids, user__in=User.objects.with_name_key().filter(name_key__in=names)
    )
    found: dict[UUID, dict[str, User]] = {}
    for seat in rows.select_related("user"):
        found.setdefault(seat.chat_id, {})[seat.user.username.lower()] = seat.user
    return found
