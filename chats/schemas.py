"""Chats and the seats in them as JSON Schema: what ``serializers.py`` makes of them."""

from chatproject.schemas import (
    BOOLEAN,
    COUNT,
    NUMBER,
    TEXT,
    TIME,
    URL,
    UUID,
    Schema,
    described,
    nullable,
    object_of,
    one_of,
    ref,
)
from chats.models import Chat, Membership

ROLE = one_of(Membership.Role.values)
_CAPPED: Schema = {**COUNT, "maximum": 1000, "description": "Exact up to 999; 1000 means more."}

_SHARED_CHAT: dict[str, Schema] = {
    "id": UUID,
    "type": one_of(Chat.Type.values),
    "name": described("Null in a direct chat.", nullable(TEXT)),
    "topic": nullable(TEXT),
    "avatar_url": nullable(URL),
    "created_by": nullable(UUID),
    "created_at": TIME,
    "member_count": COUNT,
    "last_seq": described("The seq of the newest message.", COUNT),
    "version": described("Numbers every durable change of the chat, without a gap.", NUMBER),
}

SCHEMAS: dict[str, Schema] = {
    "SharedChat": described("What of a chat is the same for all in it.", object_of(**_SHARED_CHAT)),
    "Chat": described(
        "A chat as one of its members sees it.",
        object_of(
            **_SHARED_CHAT,
            last_message=described(
                "The highest seq that is not deleted.", nullable(ref("Message"))
            ),
            me=ref("Me"),
            peer=described("The other person of a direct chat.", nullable(ref("User"))),
        ),
    ),
    "Me": described(
        "One's own marks and settings in a chat.",
        object_of(
            role=ROLE,
            last_read_seq=COUNT,
            unread_count=_CAPPED,
            mention_count=_CAPPED,
            notify=one_of(Membership.Notify.values),
            pinned=BOOLEAN,
            muted_until=nullable(TIME),
        ),
    ),
    "Member": described(
        "A seat in a chat.",
        object_of(
            user=ref("User"),
            role=ROLE,
            joined_at=TIME,
            left_at=nullable(TIME),
            last_read_seq=described("Null in chats of over 50.", nullable(COUNT)),
        ),
    ),
}
