"""The AsyncAPI document of the socket: the table of frames, their answers and the events."""

from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from chatproject.input_schemas import input_schema
from chatproject.realtime import DEACTIVATED, MAX_FRAME_BYTES, NOT_SIGNED_IN, TOO_MANY, TOO_SLOW
from chatproject.schemas import (
    BOOLEAN,
    COUNT,
    ERROR,
    NUMBER,
    TEXT,
    TIME,
    UUID,
    Schema,
    described,
    list_of,
    nullable,
    object_of,
    ref,
)
from messaging import schemas
from messaging.changes import MAX_SYNC_CHATS
from messaging.consumers import HEARTBEAT_SECONDS, MAX_REF, NOT_TEXT, SIGN_IN_SECONDS, TOO_BIG
from messaging.frames import FRAMES


class Said(NamedTuple):
    """What a kind of frame is for, and what it carries besides its type."""

    text: str
    carries: dict[str, Schema]


_MESSAGE: dict[str, Schema] = {"message": ref("Message")}
_ME: dict[str, Schema] = {"me": ref("Me")}
_PRESENCE: dict[str, Schema] = {
    "user_id": UUID,
    "is_online": BOOLEAN,
    "last_seen": nullable(TIME),
}
_EXPIRES: dict[str, Schema] = {
    "expires_at": described("When the token, or the sign-in behind a cookie, ends.", nullable(TIME))
}
_CHANGES = object_of(
    chat_id=UUID,
    members=described("Those who left, too.", list_of(ref("Member"))),
    messages=list_of(ref("Message")),
    version=COUNT,
    complete=described(
        "Where it is false, drop what you hold of this chat and load the newest page.", BOOLEAN
    ),
)

ANSWERS = {
    "message.send": Said(
        "Sends a message. `ok` means that it is on disk. Sent again with the same `client_id`, it "
        "is the same message, stored once.",
        _MESSAGE,
    ),
    "message.edit": Said("Edits one's own message.", _MESSAGE),
    "message.delete": Said("Deletes a message; it keeps its `seq`.", _MESSAGE),
    "reaction.add": Said("Reacts to a message.", _MESSAGE),
    "reaction.remove": Said("Takes a reaction back.", _MESSAGE),
    "read": Said("Moves one's mark forward, never back.", _ME),
    "unread": Said("Makes this message the first unread one.", _ME),
    "typing": Said(
        "Others see it in chats of up to 100, once in 3 s a person and chat. It holds for 6 s.", {}
    ),
    "presence.watch": Said(
        "Whose presence to tell from now on, instead of the last.",
        {"users": list_of(object_of(**_PRESENCE))},
    ),
    "sync": Said(
        "What one missed: name the chats that you hold and their versions.",
        {
            "epoch": TEXT,
            "chats": {**list_of(ref("Chat")), "maxItems": MAX_SYNC_CHATS},
            "more": described("There are more chats: page `GET /chats`.", BOOLEAN),
            "changes": described("Of each chat named that changed.", list_of(_CHANGES)),
            "gone": described("Named, but one's own no longer.", list_of(UUID)),
        },
    ),
    "auth": Said(
        "Renews the sign-in of an open socket, for the same user. As the first frame of a socket "
        "without one it signs in, and `hello` is the answer.",
        _EXPIRES,
    ),
    "ping": Said("Asks whether the server is there.", {}),
}
"""What the ``ok`` to each frame carries."""

_NUMBERED: dict[str, Schema] = {"chat_id": UUID, "version": NUMBER}

EVENTS = {
    "hello": Said(
        "The first frame of every socket that is signed in.",
        {
            "protocol": {"type": "integer", "const": 1},
            "epoch": described("Changes only when data is restored or replaced.", TEXT),
            "user": ref("OwnUser"),
            **_EXPIRES,
            "heartbeat": described("Seconds.", NUMBER),
            "limits": object_of(frame_bytes=NUMBER, content_chars=NUMBER),
        },
    ),
    "message.created": Said("Somebody said something.", _NUMBERED | _MESSAGE),
    "message.updated": Said("It was edited or reacted to.", _NUMBERED | _MESSAGE),
    "message.deleted": Said("Its content is gone.", _NUMBERED | _MESSAGE),
    "chat.created": Said(
        "One is in a chat that this socket did not have; counting starts at its `version`.",
        {"chat": ref("Chat")},
    ),
    "chat.updated": Said(
        "Name, topic or picture changed.", _NUMBERED | {"chat": ref("SharedChat")}
    ),
    "chat.removed": Said("The last that one hears of this chat.", {"chat_id": UUID}),
    "member.joined": Said("Somebody is in the chat.", _NUMBERED | {"member": ref("Member")}),
    "member.left": Said("Somebody left or was removed.", _NUMBERED | {"member": ref("Member")}),
    "member.updated": Said("A role changed.", _NUMBERED | {"member": ref("Member")}),
    "superseded": Said("A change that a later one replaced: it keeps the count.", _NUMBERED),
    "me.updated": Said(
        "One's own marks and settings, changed on any device.", {"chat_id": UUID} | _ME
    ),
    "read": Said(
        "How far somebody else has read, in chats of up to 50.",
        {"chat_id": UUID, "user_id": UUID, "seq": COUNT},
    ),
    "typing": Said("Somebody else types.", {"chat_id": UUID, "user_id": UUID}),
    "presence": Said("Somebody whom one watches came or went.", _PRESENCE),
    "user.updated": Said("Somebody of one's chats, or oneself.", {"user": ref("User")}),
}
"""What the server sends unasked."""

CLOSE_CODES = {
    NOT_SIGNED_IN: "Not signed in, or the session ended: logout, password change, expiry.",
    DEACTIVATED: "Banned or deactivated.",
    TOO_SLOW: "Over 1 MiB waits for this client.",
    TOO_MANY: "An eleventh socket of one person, or ten times over the rate.",
    TOO_BIG: f"A frame of over {MAX_FRAME_BYTES} bytes.",
    NOT_TEXT: "A binary frame.",
    1012: "The server is restarting: come back after a random 0 to 5 s.",
}

_INTRODUCTION = """
What REST is not made for: sending, and hearing of everything as it happens. The objects are those
of [REST](/schema). A later release may add fields, so leave aside what you do not know; fields
that the server does not know are ignored. Ids are UUIDs, times RFC 3339 in UTC with six digits.
Lengths are in code points, without the white space around a text.
""".strip()

_CHANNEL = f"""
**Signing in.** The session cookie (from the page's own `Origin` only), an `Authorization: Bearer`
header, or, within {SIGN_IN_SECONDS} s, a first frame `auth`. Never in the address. Then comes
`hello`; frames sent before it wait for it.

**Frames** are text, each one JSON object of at most {MAX_FRAME_BYTES} bytes with a `type`. A frame
with a `ref` is answered once, by `ok` or by `error` with the same `ref`; answers may overtake each
other, effects do not. A frame that is wrong gets its `error` (without `ref` where there is no
usable one), and the socket stays open.

**Numbered events.** Those with a `version` arrive by rising version without a gap, chat by chat,
from `hello` or `chat.created` on. Any event can come twice: drop a version that you have. Events
without one may be dropped under load. After an absence, `sync` brings what was missed.

**Heartbeat.** The server pings every {HEARTBEAT_SECONDS} s and closes without a pong within
{HEARTBEAT_SECONDS} s. Where you cannot ping, send the frame `ping` after {HEARTBEAT_SECONDS} s of
silence, and connect again after 10 s without an `ok`.

**Close codes.**

{{codes}}
""".strip()

_REF: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_REF}
_OWN_REF = described("Names this frame in the answer; without it there is no `ok`.", nullable(_REF))


_SIGN_INS: dict[str, dict[str, str]] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "session": {"type": "httpApiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
}


@cache
def document() -> dict[str, Any]:
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": settings.SITE_NAME, "version": "1", "description": _INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {"here": _server()},
        "channels": {"ws": _channel(messages)},
        "operations": {kind: _asking(kind) for kind in FRAMES} | {"events": _telling()},
        "components": {
            "schemas": schemas.components(),
            "messages": messages,
            "securitySchemes": _SIGN_INS,
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": urlsplit(settings.PUBLIC_URL).netloc,
        "protocol": "wss" if settings.IS_TLS else "ws",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SIGN_INS],
    }


def _channel(messages: dict[str, Any]) -> dict[str, Any]:
    codes = "\n".join(f"- {code}: {text}" for code, text in CLOSE_CODES.items())
    return {
        "address": "/ws",
        "description": _CHANNEL.format(codes=codes),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _messages() -> dict[str, Any]:
    """By ``frame.<type>``, ``ok.<type of the frame>``, ``event.<type>`` and ``error``."""
    return {
        **{f"frame.{kind}": _message(kind, said.text, _frame(kind)) for kind, said in _frames()},
        **{
            f"ok.{kind}": _message(
                "ok", f"Answers `{kind}`.", _sent("ok", ref=_REF, **said.carries)
            )
            for kind, said in _frames()
        },
        **{
            f"event.{kind}": _message(kind, said.text, _sent(kind, **said.carries))
            for kind, said in EVENTS.items()
        },
        "error": _message(
            "error",
            "What was wrong with a frame.",
            _sent("error", ref=_REF, errors=ERROR["properties"]["errors"], optional=["ref"]),
        ),
    }


def _frames() -> list[tuple[str, Said]]:
    return [(kind, ANSWERS[kind]) for kind in FRAMES]


def _message(name: str, summary: str, payload: Schema) -> dict[str, Any]:
    return {"name": name, "summary": summary, "payload": payload}


def _frame(kind: str) -> Schema:
    taken = input_schema(FRAMES[kind].serializer)
    return {
        **taken,
        "properties": {"type": _just(kind), "ref": _OWN_REF, **taken["properties"]},
        "required": ["type", *taken["required"]],
    }


def _sent(kind: str, **properties: Any) -> Schema:
    return object_of(type=_just(kind), **properties)


def _just(value: str) -> Schema:
    return {"type": "string", "const": value}


def _asking(kind: str) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": "#/channels/ws"},
        "messages": _at_channel(f"frame.{kind}"),
        "reply": {
            "channel": {"$ref": "#/channels/ws"},
            "messages": _at_channel(f"ok.{kind}", "error"),
        },
    }


def _telling() -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/ws"},
        "messages": _at_channel(*(f"event.{kind}" for kind in EVENTS)),
    }


def _at_channel(*names: str) -> list[dict[str, str]]:
    return [{"$ref": f"#/channels/ws/messages/{name}"} for name in names]
