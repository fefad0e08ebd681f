"""What the chats app asks of messages: see ``chats.talk.Talk``."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.html import escape

from accounts.models import User
from chatproject.realtime import Envelope
from chats.models import Chat
from messaging.events import message_changed
from messaging.models import Mention, Message, Reaction
from messaging.queries import last_messages, unread_counts
from messaging.serializers import message_document

__all__ = ["delete_messages", "last_messages", "post_system_message", "unread_counts"]

_SENTENCES = {
    "created": "{actor} created the group",
    "added": "{actor} added {users}",
    "removed": "{actor} removed {users}",
    "left": "{actor} left",
    "renamed": "{actor} renamed the group to {name}",
    "role": "{actor} made {users} {role}",
}
_ROLES = {"owner": "an owner", "admin": "an admin", "member": "a member"}
MAX_NAMED = 5


def post_system_message(
    chat: Chat, kind: str, actor: User | None, users: Sequence[User], role: str | None
) -> Envelope:
    chat.last_seq += 1
    chat.version += 1
    chat.active_at = timezone.now()
    content = _sentence(chat, kind, actor, users, role)
    line = Message(
        chat=chat,
        seq=chat.last_seq,
        version=chat.version,
        created_version=chat.version,
        message_type=Message.Type.SYSTEM,
        content=content,
        html=f'<p dir="auto">{_sentence(chat, kind, actor, users, role, name=_bold)}</p>',
        created_at=chat.active_at,
        system=_facts(chat, kind, actor, users, role),
    )
    line.save(force_insert=True)
    return message_changed(line, message_document(line, []))


def _bold(name: str) -> str:
    return f"<strong>{escape(name)}</strong>"


def _sentence(
    chat: Chat,
    kind: str,
    actor: User | None,
    users: Sequence[User],
    role: str | None,
    *,
    name: Callable[[str], str] = str,
) -> str:
    """In English, each name as ``name`` writes it."""
    return _SENTENCES[kind].format(
        actor=name(actor.display_name) if actor else "Somebody",
        users=_names(users, name),
        name=name(chat.name or ""),
        role=_ROLES.get(role or "", ""),
    )


def _names(users: Sequence[User], name: Callable[[str], str]) -> str:
    names = [name(user.display_name) for user in users[:MAX_NAMED]]
    if len(users) > MAX_NAMED:
        names.append(f"{len(users) - MAX_NAMED} more")
    return (
        names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
    )


def _facts(
    chat: Chat, kind: str, actor: User | None, users: Sequence[User], role: str | None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "actor_id": str(actor.id) if actor else None,
        "user_ids": [str(user.id) for user in users],
        "name": chat.name if kind in ("created", "renamed") else None,
        "role": role,
    }


def delete_messages(chat: Chat) -> None:
    """In three statements, however much was said: no row is loaded."""
    for rows in (
        Reaction.objects.filter(message__chat=chat),
        Mention.objects.filter(chat=chat),
        Message.objects.filter(chat=chat),
    ):
        rows._raw_delete(using=rows.db)
