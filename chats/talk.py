"""What chats asks of messages, which may not be imported here: filled in by the messaging app."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from accounts.models import User
from chatproject.realtime import Envelope
from chats.models import Chat


class Unread(NamedTuple):
    messages: int
    mentions: int


class Talk(Protocol):
    def last_messages(self, chat_ids: list[UUID]) -> dict[str, dict[str, Any]]:
        """The newest message that is not deleted, as a document, by chat id."""

    def unread_counts(self, user_id: UUID, chat_ids: list[UUID]) -> dict[str, Unread]:
        """What a member has not read, by chat id."""

    def post_system_message(
        self, chat: Chat, kind: str, actor: User | None, users: Sequence[User], role: str | None
    ) -> Envelope:
        """Adds a line such as "Ana added Ben" to a locked chat; advances its counters."""

    def delete_messages(self, chat: Chat) -> None:
        """Deletes all that was said in a chat."""


_provided: list[Talk] = []


def provide(talk: Talk) -> None:
    _provided[:] = [talk]


def provided() -> Talk:
    return _provided[0]
