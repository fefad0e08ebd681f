"""What others hear of people."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import User
from accounts.serializers import user_document
from chatproject.realtime import Envelope, to_chats


def user_updated(user: User, chat_ids: Iterable[UUID]) -> Envelope:
    event = {"type": "user.updated", "user": user_document(user)}
    return to_chats(chat_ids, user.id, event)
