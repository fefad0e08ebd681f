"""What a client's frames do: one table from a frame's type to its shape and its action."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rest_framework import serializers

from accounts import presence
from accounts.models import User
from accounts.preferences import preferences_of
from chatproject.errors import Invalid
from chatproject.fields import StrictTextField, StrictUUIDField, VersionsField
from chatproject.realtime import publish
from chats import access
from chats import actions as chat_actions
from chats import events as chat_events
from chats.serializers import ReadSerializer, UnreadSerializer, me_seen_by
from messaging import actions, changes, reading
from messaging.serializers import EditSerializer, EmojiSerializer, SendSerializer

MAX_WATCHED = 500
MAX_TYPING_MEMBERS = 100

Given = dict[str, Any]


class InChat(serializers.Serializer[Any]):
    chat_id = StrictUUIDField()


class OfMessage(InChat):
    message_id = StrictUUIDField()


class SendFrame(SendSerializer, InChat):
    pass


class EditFrame(EditSerializer, OfMessage):
    pass


class ReactionFrame(EmojiSerializer, OfMessage):
    pass


class ReadFrame(ReadSerializer, InChat):
    pass


class UnreadFrame(UnreadSerializer, InChat):
    pass


class WatchFrame(serializers.Serializer[Any]):
    user_ids = serializers.ListField(child=StrictUUIDField(), max_length=MAX_WATCHED)


class AuthFrame(serializers.Serializer[Any]):
    token = StrictTextField(max_length=4096)


class PingFrame(serializers.Serializer[Any]):
    pass


class SyncFrame(serializers.Serializer[Any]):
    epoch = StrictTextField(max_length=64, required=False, allow_null=True)
    chats = VersionsField()


def edit(user: User, given: Given) -> Given:
    return _on_message(actions.edit_message, user, given)


def delete(user: User, given: Given) -> Given:
    return _on_message(actions.delete_message, user, given)


def add_reaction(user: User, given: Given) -> Given:
    return _on_message(actions.add_reaction, user, given)


def remove_reaction(user: User, given: Given) -> Given:
    return _on_message(actions.remove_reaction, user, given)


def _on_message(action: Any, user: User, given: Given) -> Given:
    chat = access.seat_in(user, given.pop("chat_id")).chat
    return {"message": action(actor=user, chat=chat, **given)}


def read(user: User, given: Given) -> Given:
    return _mark(chat_actions.mark_read, user, given)


def unread(user: User, given: Given) -> Given:
    return _mark(chat_actions.mark_unread, user, given)


def _mark(action: Any, user: User, given: Given) -> Given:
    chat = access.seat_in(user, given["chat_id"]).chat
    action(actor=user, chat=chat, seq=given["seq"])
    return {"me": me_seen_by(user, chat.id)}


def typing(user: User, given: Given) -> Given:
    chat = access.seat_in(user, given["chat_id"]).chat
    if chat.member_count <= MAX_TYPING_MEMBERS and preferences_of(user).shows_typing:
        publish(chat_events.typing(chat.id, user.id))
    return {}


def watch(user: User, given: Given) -> Given:
    people = list(User.objects.filter(id__in=given["user_ids"]))
    if len(people) != len(set(given["user_ids"])):
        raise Invalid("Somebody here is unknown.", code="does_not_exist", attr="user_ids")
    online = presence.online_among([person.id for person in people])
    return {
        "users": [
            {
                "user_id": str(person.id),
                **presence.presence_document(person, is_online=person.id in online),
            }
            for person in people
        ]
    }


def sync(user: User, given: Given) -> Given:
    return changes.sync(
        user, epoch=reading.epoch(), known_epoch=given.get("epoch"), known=given["chats"]
    )


class Frame(NamedTuple):
    """The shape of a frame, and what it does; None where the consumer does it itself."""

    serializer: type[serializers.Serializer[Any]]
    act: Callable[[User, Given], Given] | None


FRAMES = {
    "message.send": Frame(SendFrame, None),
    "message.edit": Frame(EditFrame, edit),
    "message.delete": Frame(OfMessage, delete),
    "reaction.add": Frame(ReactionFrame, add_reaction),
    "reaction.remove": Frame(ReactionFrame, remove_reaction),
    "read": Frame(ReadFrame, read),
    "unread": Frame(UnreadFrame, unread),
    "typing": Frame(InChat, typing),
    "presence.watch": Frame(WatchFrame, watch),
    "sync": Frame(SyncFrame, sync),
    "auth": Frame(AuthFrame, None),
    "ping": Frame(PingFrame, None),
}


def frame_named(kind: Any) -> Frame:
    frame = FRAMES.get(kind) if isinstance(kind, str) else None
    if frame is None:
        raise Invalid("There is no such frame.", code="unknown_type", attr="type")
    return frame
