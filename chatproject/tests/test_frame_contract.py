"""The guard that holds frames against the AsyncAPI document must itself be able to say no."""

import json
from typing import Any

import pytest

from chatproject.testing.frames import Dialogue

ID = "01999999-0000-7000-8000-000000000000"
TIME = "2026-11-22T09:30:00.000000Z"
PRESENCE = {"type": "presence", "user_id": ID, "is_online": True, "last_seen": TIME}
ME = {
    "role": "member",
    "last_read_seq": 0,
    "unread_count": 0,
    "mention_count": 0,
    "notify": "all",
    "pinned": False,
    "muted_until": None,
}
READ = {"type": "read", "ref": "r", "chat_id": ID, "seq": 7}
ERROR = {"code": "x", "detail": "x", "attr": None}


def hear(frame: Any, *asked: Any) -> None:
    dialogue = Dialogue()
    for one in asked:
        dialogue.sent(json.dumps(one))
    dialogue.received(json.dumps(frame))


@pytest.mark.parametrize(
    ("frame", "asked"),
    [
        (PRESENCE, []),
        ({**PRESENCE, "last_seen": None}, []),
        ({"type": "superseded", "chat_id": ID, "version": 1}, []),
        ({"type": "ok", "ref": "r", "me": ME}, [READ]),
        ({"type": "ok", "ref": "r", "me": ME}, [{**READ, "more": 1}]),
        ({"type": "ok", "ref": "r"}, [READ, {"type": "ping", "ref": "r"}]),
        ({"type": "error", "errors": [ERROR]}, []),
        ({"type": "error", "ref": "r", "errors": [{**ERROR, "retry_after": 1}]}, [READ]),
        ({"type": "error", "ref": "r", "errors": [ERROR]}, [{"ref": "r"}]),
    ],
)
def test_what_the_document_has_passes(frame: Any, asked: list[Any]):
    hear(frame, *asked)


@pytest.mark.parametrize(
    ("frame", "asked", "fault"),
    [
        ({**PRESENCE, "more": 1}, [], "Additional properties"),
        ({**PRESENCE, "user_id": "7"}, [], "user_id"),
        ({**PRESENCE, "last_seen": "2026-11-22T09:30:00Z"}, [], "last_seen"),
        ({**PRESENCE, "last_seen": "2026-13-22T09:30:00.000000Z"}, [], "last_seen"),
        ({**PRESENCE, "is_online": None}, [], "is_online"),
        ({"type": "presence", "user_id": ID}, [], "required"),
        ({"type": "superseded", "chat_id": ID, "version": 0}, [], "version"),
        ({"type": "nonsense"}, [], "no event.nonsense"),
        ({}, [], "no event.None"),
        ({"type": "ok", "ref": "r"}, [], "nobody asked"),
        ({"type": "ok", "ref": "q", "me": ME}, [READ], "nobody asked"),
        ({"type": "ok", "me": ME}, [READ], "no event.ok"),
        ({"type": "ok", "ref": "r"}, [READ], "required"),
        ({"type": "ok", "ref": "r", "me": {**ME, "role": "king"}}, [READ], "me.role"),
        ({"type": "ok", "ref": "r", "me": ME}, [{**READ, "seq": "7"}], "ok, to .* seq"),
        ({"type": "ok", "ref": "r", "me": ME}, [{"type": "read", "ref": "r"}], "ok, to .* requ"),
        ({"type": "ok", "ref": "r"}, [{"type": "nonsense", "ref": "r"}], "no frame.nonsense"),
        ({"type": "error", "errors": []}, [], "errors"),
        ({"type": "error", "errors": [{"code": "x"}]}, [], "errors.0"),
        ({"type": "error", "ref": None, "errors": [ERROR]}, [], "nobody asked"),
    ],
)
def test_what_it_has_not_fails(frame: Any, asked: list[Any], fault: str):
    with pytest.raises(AssertionError, match=fault):
        hear(frame, *asked)


def test_a_binary_frame_fails():
    with pytest.raises(AssertionError, match="binary"):
        Dialogue().received(b"{}")
