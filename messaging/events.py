"""What others hear of messages, told live or read back from the rows after a loss."""

from chatproject.realtime import Envelope, to_chat
from chats import events as chat_events
from chats.models import Chat, Membership
from messaging.models import Message
from messaging.serializers import Document, message_documents


def message_changed(message: Message, document: Document) -> Envelope:
    """A message in the state of its own version: created, updated or deleted."""
    event = {
        "type": f"message.{_kind(message)}",
        "chat_id": document["chat_id"],
        "version": message.version,
        "message": document,
    }
    return to_chat(message.chat_id, message.version, event)


def _kind(message: Message) -> str:
    if message.is_deleted:
        return "deleted"
    return "created" if message.version == message.created_version else "updated"


MAX_READ = 500


def read_events(chat: Chat, since: int) -> list[Envelope]:
    """The events after a version, up to 500 versions, rebuilt from the rows, without a hole.

    ``chat`` was read before: rows above its version wait for their own events. A change that a
    later one has replaced becomes ``superseded``.
    """
    until = min(chat.version, since + MAX_READ)
    span = {"chat": chat, "version__gt": since, "version__lte": until}
    messages = list(Message.objects.filter(**span).with_sender())
    seats = list(Membership.objects.filter(**span).select_related("user"))
    told = _messages(messages) + _seats(chat, seats)
    if since < chat.profile_version <= until:
        told.append(chat_events.chat_updated(chat, chat.profile_version))
    by_version = {envelope.number: envelope for envelope in told}
    return [
        by_version.get(version) or _superseded(chat, version)
        for version in range(since + 1, until + 1)
    ]


def _messages(messages: list[Message]) -> list[Envelope]:
    documents = message_documents(messages)
    return [
        message_changed(message, document)
        for message, document in zip(messages, documents, strict=True)
    ]


def _seats(chat: Chat, seats: list[Membership]) -> list[Envelope]:
    joined = [seat for seat in seats if seat.is_present and seat.version == seat.joined_version]
    left = [seat for seat in seats if not seat.is_present]
    updated = [seat for seat in seats if seat not in joined and seat not in left]
    return [
        *chat_events.members_changed("joined", chat, joined),
        *chat_events.members_changed("left", chat, left),
        *chat_events.members_changed("updated", chat, updated),
    ]


def _superseded(chat: Chat, version: int) -> Envelope:
    event = {"type": "superseded", "chat_id": str(chat.id), "version": version}
    return to_chat(chat.id, version, event)
