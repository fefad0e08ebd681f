"""What others hear of chats and of the seats in them."""

from uuid import UUID

from chatproject.realtime import Envelope, marks_moved, to_chat, to_chat_unnumbered, typing_in
from chats.models import Chat, Membership
from chats.serializers import (
    MAX_MEMBERS_WITH_MARKS,
    member_documents,
    shared_chat_document,
)


def chat_updated(chat: Chat, version: int) -> Envelope:
    document = {**shared_chat_document(chat), "version": version}
    event = {
        "type": "chat.updated",
        "chat_id": str(chat.id),
        "version": version,
        "chat": document,
    }
    return to_chat(chat.id, version, event)


def member_changed(kind: str, chat: Chat, seat: Membership) -> Envelope:
    """``kind`` is ``joined``, ``left`` or ``updated``; the seat comes with its user."""
    return members_changed(kind, chat, [seat])[0]


def members_changed(kind: str, chat: Chat, seats: list[Membership]) -> list[Envelope]:
    documents = member_documents(chat, seats)
    return [
        to_chat(
            chat.id,
            seat.version,
            {
                "type": f"member.{kind}",
                "chat_id": str(chat.id),
                "version": seat.version,
                "member": document,
            },
            left=None if seat.is_present else seat.user_id,
        )
        for seat, document in zip(seats, documents, strict=True)
    ]


def mark_moved(seat: Membership, *, is_shown: bool) -> list[Envelope]:
    """To one's own devices, and in small chats to the others, unless one hides it."""
    envelopes = [marks_moved(seat.user_id, seat.chat_id)]
    if is_shown and seat.chat.member_count <= MAX_MEMBERS_WITH_MARKS:
        event = {
            "type": "read",
            "chat_id": str(seat.chat_id),
            "user_id": str(seat.user_id),
            "seq": seat.last_read_seq,
        }
        envelopes.append(to_chat_unnumbered(seat.chat_id, event, skip=seat.user_id))
    return envelopes


def typing(chat_id: UUID, user_id: UUID) -> Envelope:
    event = {"type": "typing", "chat_id": str(chat_id), "user_id": str(user_id)}
    return typing_in(chat_id, event, user_id)
