"""Messages as JSON Schema, and all the objects of the protocol together."""

from accounts import schemas as accounts
from chatproject.schemas import (
    BOOLEAN,
    COUNT,
    ERROR,
    NUMBER,
    TEXT,
    TIME,
    URL,
    UUID,
    Schema,
    described,
    list_of,
    nullable,
    object_of,
    one_of,
    ref,
)
from chats import schemas as chats
from messaging.models import Message

_MESSAGE = object_of(
    id=UUID,
    chat_id=UUID,
    seq=described("Its number in the chat: never changes, and no gap before it.", NUMBER),
    version=described("The chat's version at its last change.", NUMBER),
    sender_id=nullable(UUID),
    sender=nullable(ref("Person")),
    message_type=one_of(Message.Type.values),
    content=described("Empty once deleted.", TEXT),
    html=described("Safe; made of content by the server.", TEXT),
    client_id=nullable(TEXT),
    reply_to=described("A message of the same chat.", nullable(UUID)),
    attachments=list_of(ref("Attachment")),
    reactions=list_of(ref("Reaction")),
    mentions=list_of(UUID),
    system=nullable(ref("System")),
    created_at=TIME,
    edited_at=nullable(TIME),
    deleted_at=nullable(TIME),
)

SCHEMAS: dict[str, Schema] = {
    "Message": described("One message, the same for every reader.", _MESSAGE),
    "Attachment": object_of(
        id=UUID,
        name=TEXT,
        size=described("In bytes.", COUNT),
        content_type=TEXT,
        kind=one_of(["image", "file"]),
        width=nullable(NUMBER),
        height=nullable(NUMBER),
        url=URL,
        thumbnail_url=nullable(URL),
    ),
    "Reaction": object_of(emoji=TEXT, user_ids={**list_of(UUID), "minItems": 1}),
    "System": described(
        "What a system message tells.",
        object_of(
            kind=one_of(["created", "added", "removed", "left", "renamed", "role"]),
            actor_id=nullable(UUID),
            user_ids=list_of(UUID),
            name=nullable(TEXT),
            role=nullable(chats.ROLE),
        ),
    ),
    "Changes": described(
        "All that changed after a version. Where complete is false, nothing but the Chat.",
        object_of(
            chat=ref("Chat"),
            members=list_of(ref("Member")),
            messages=list_of(ref("Message")),
            version=COUNT,
            complete=BOOLEAN,
        ),
    ),
}


def components() -> dict[str, Schema]:
    """Every object of the protocol by its name, for both documents."""
    return {**accounts.SCHEMAS, **chats.SCHEMAS, **SCHEMAS, "Error": ERROR}
