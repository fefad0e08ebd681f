"""What people do with messages."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts import limits
from accounts.models import SignIn, User
from chatproject.errors import Conflict, Forbidden, TryAgain
from chatproject.pools import release_connection, waiting_for_others
from chatproject.realtime import publish
from chats import access
from chats.models import Chat, Membership
from messaging import mentions
from messaging.batches import Posted, Send, people_named, people_shown
from messaging.emojis import emoji_key
from messaging.events import message_changed
from messaging.formatting import to_html
from messaging.models import Mention, Message, Reaction
from messaging.queries import message_in
from messaging.serializers import Document, message_documents
from messaging.writer import writer

MAX_EMOJI = 20
MAX_REACTIONS = 1_000
WAIT_SECONDS = 30


def post_message(
    *,
    actor: User,
    sign_in: SignIn | None,
    chat_id: UUID,
    content: str,
    client_id: str | None = None,
    reply_to: UUID | None = None,
) -> Posted:
    """Sends a message and waits until it is on disk.

    The same ``client_id`` again returns what it stored. Raises NotThere, NotSignedIn, Invalid;
    TryAgain where it is unknown whether it was stored.
    """
    send = Send(
        sender_id=actor.id,
        sign_in_id=sign_in.id if sign_in else None,
        chat_id=chat_id,
        content=content,
        client_id=client_id,
        reply_to=reply_to,
    )
    release_connection()  # else those who wait for the writer leave it none
    try:
        with waiting_for_others():
            return writer.outcome_of(send).result(WAIT_SECONDS)
    except TimeoutError:
        raise TryAgain(retry_after=1) from None


def edit_message(*, actor: User, chat: Chat, message_id: UUID, content: str) -> Document:
    """Changes one's own message. The same content changes nothing."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        message = message_in(seat.chat, message_id)
        _require_own(message, actor)
        _require_there(message)
        if message.content == content:
            return message_documents([message])[0]
        _rewrite(message, content)
        return _changed(actor, seat.chat, message)


def _rewrite(message: Message, content: str) -> None:
    named = people_named(mentions.candidates(content), [message.chat_id])
    people = named.get(message.chat_id, {})
    mentioned = mentions.resolve(content, people)
    message.content = content
    message.html = to_html(content, people_shown(people))
    message.mentions = [str(user.id) for user in mentioned]
    message.edited_at = timezone.now()
    Mention.objects.filter(message=message).delete()
    Mention.objects.bulk_create(message.mention_rows())


def delete_message(*, actor: User, chat: Chat, message_id: UUID) -> Document:
    """Leaves a tombstone of one's own message or, with the power to, of another's."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        message = message_in(seat.chat, message_id)
        _require_may_delete(seat, message)
        if message.is_deleted:
            return message_documents([message])[0]
        message.content = message.html = ""
        message.mentions, message.deleted_at = [], timezone.now()
        Mention.objects.filter(message=message).delete()
        Reaction.objects.filter(message=message).delete()
        return _changed(actor, seat.chat, message)


def add_reaction(*, actor: User, chat: Chat, message_id: UUID, emoji: str) -> Document:
    """Raises Conflict on a deleted message and beyond 20 kinds or 1,000 reactions."""
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        message = message_in(seat.chat, message_id)
        _require_there(message)
        key = emoji_key(emoji) or emoji
        given = list(Reaction.objects.filter(message=message))
        if any(one.user_id == actor.id and one.emoji_key == key for one in given):
            return message_documents([message])[0]
        same = [one.emoji for one in given if one.emoji_key == key]
        _require_room(given, is_new_kind=not same)
        Reaction.objects.create(
            message=message, user=actor, emoji=same[0] if same else emoji, emoji_key=key
        )
        return _changed(actor, seat.chat, message)


def remove_reaction(*, actor: User, chat: Chat, message_id: UUID, emoji: str) -> Document:
    with transaction.atomic():
        seat = access.locked_seat_in(actor, chat.id)
        message = message_in(seat.chat, message_id)
        _require_there(message)
        own = Reaction.objects.filter(message=message, user=actor, emoji_key=emoji_key(emoji))
        if not own.delete()[0]:
            return message_documents([message])[0]
        return _changed(actor, seat.chat, message)


def _changed(actor: User, chat: Chat, message: Message) -> Document:
    """Stores a changed message under the chat's next version, and tells."""
    limits.count_change(actor)
    chat.version += 1
    chat.changed_at = Now()
    chat.save(update_fields=["version", "changed_at"])
    message.version = chat.version
    message.save()
    document = message_documents([message])[0]
    publish(message_changed(message, document))
    return document


def _require_own(message: Message, actor: User) -> None:
    if message.sender_id != actor.id:
        raise Forbidden("Only its author may edit a message.")


def _require_may_delete(seat: Membership, message: Message) -> None:
    if message.is_system:
        raise Forbidden("A system line stays.")
    if message.sender_id != seat.user_id and not seat.can_manage:
        raise Forbidden("Only its author, an owner or an admin may delete a message.")


def _require_there(message: Message) -> None:
    if message.is_deleted:
        raise Conflict("This message was deleted.")
    if message.is_system:
        raise Forbidden("A system line stays as it is.")


def _require_room(given: list[Any], *, is_new_kind: bool) -> None:
    if len(given) >= MAX_REACTIONS:
        raise Conflict(f"A message takes {MAX_REACTIONS} reactions.")
    if is_new_kind and len({one.emoji_key for one in given}) >= MAX_EMOJI:
        raise Conflict(f"A message takes {MAX_EMOJI} kinds of reactions.")
