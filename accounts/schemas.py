"""People as JSON Schema: what ``serializers.py`` makes of them."""

from chatproject.schemas import (
    BOOLEAN,
    TEXT,
    TIME,
    URL,
    UUID,
    Schema,
    described,
    nullable,
    object_of,
)

_PERSON: dict[str, Schema] = {
    "id": UUID,
    "username": TEXT,
    "display_name": TEXT,
    "avatar_url": nullable(URL),
}
_USER: dict[str, Schema] = {
    **_PERSON,
    "is_bot": BOOLEAN,
    "is_online": BOOLEAN,
    "last_seen": nullable(TIME),
    "created_at": TIME,
}

SCHEMAS: dict[str, Schema] = {
    "Person": described("The little that a message shows of its sender.", object_of(**_PERSON)),
    "User": described("A person or a bot.", object_of(**_USER)),
    "OwnUser": described(
        "Oneself.",
        object_of(
            **_USER,
            email=TEXT,
            settings=described("The client's own, at most 4 KiB.", {"type": "object"}),
        ),
    ),
}
