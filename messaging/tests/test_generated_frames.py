"""Frames made of the AsyncAPI document, right and wrong, over a real socket."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from chatproject.realtime import MAX_FRAME_BYTES
from chatproject.testing import Person, SocketClient
from chatproject.testing.frames import fault_of, read_json
from messaging.asyncapi import document
from messaging.frames import FRAMES

PAYLOADS = {
    kind: document()["components"]["messages"][f"frame.{kind}"]["payload"] for kind in FRAMES
}
CHANGES = {kind for kind in FRAMES if kind.startswith(("message.", "reaction."))}

# Stand-ins for what is there only once the stage is set: a frame is text when they are replaced.
CHATS = [f"00000000-0000-7000-8000-00000000c{number:03}" for number in range(4)]
MESSAGES = [f"00000000-0000-7000-8000-00000000a{number:03}" for number in range(16)]
PEOPLE = [f"00000000-0000-7000-8000-00000000b{number:03}" for number in range(4)]
TOKEN = "a-token-of-ones-own"

# Values by schema


def values(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    if name in REAL:
        return REAL[name] if schema.get("type") else REAL[name] | st.none()
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    if "type" not in schema:
        return st.one_of(*(values(one, name) for one in schema["anyOf"]))
    return OF_TYPE[schema["type"]](schema)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema:
        item = values(schema["additionalProperties"])
        return st.dictionaries(st.sampled_from(CHATS), item, max_size=4)
    properties = {name: values(one, name) for name, one in schema["properties"].items()}
    required = {name: properties.pop(name) for name in schema["required"]}
    return st.fixed_dictionaries(required, optional=properties)


def arrays(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(PEOPLE), max_size=min(schema["maxItems"], 4))


def integers(schema: dict[str, Any]) -> st.SearchStrategy[int]:
    low, high = schema["minimum"], schema["maximum"]
    return st.integers(low, low + 9) | st.sampled_from([low, high])


def texts(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    longest = schema.get("maxLength", 10_000)
    return st.text(CHARACTERS, max_size=40) | st.sampled_from(SAYINGS).map(
        lambda text: text[:longest]
    )


CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SAYINGS = [
    "x",
    " x\n",
    "é" * 10_000,
    f"\x1c{'x' * 10_000} ",
    "*x*\n```py\nx\n```",
    "@bob <b>",
    "\u202ex",
]
OF_TYPE: dict[str, Callable[[dict[str, Any]], st.SearchStrategy[Any]]] = {
    "object": objects,
    "array": arrays,
    "integer": integers,
    "string": texts,
    "null": lambda schema: st.none(),
}
REAL = {
    "chat_id": st.sampled_from([*CHATS, *CHATS[:1] * 6, CHATS[1]]),
    "message_id": st.sampled_from([*MESSAGES, *MESSAGES[:2] * 8]),
    "reply_to": st.sampled_from([*MESSAGES, *MESSAGES[:2] * 8]),
    "emoji": st.sampled_from(["👍", "❤️", "❤", " 🎉 ", "👩‍👩‍👧", "x", "👍👍"]),
    "token": st.sampled_from([TOKEN, "nonsense"]),
    "epoch": st.none() | st.just("of another time"),
}

# Frames

KINDS = [*sorted(FRAMES), *["message.send"] * 4, "message.edit", "reaction.add", "reaction.remove"]


@st.composite
def good(draw: Any) -> dict[str, Any]:
    frame = draw(values(PAYLOADS[draw(st.sampled_from(KINDS))]))
    return {**frame, "ref": draw(st.sampled_from(["ref", "é🎉", "\t\x7f", "\0"]))}


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = {"a": value} if level % 2 else [value]
    return value


HOSTILE = [
    *(None, True, False, 0, -1, 1.0, 2**53, 2**53 + 1, 2**64, 10**400, 1e300, float("inf")),
    *("", " ", "\0", "\ud800", "a\udfffb", "null", "1", "\u200b", "x" * 10_001, "x" * 60_000),
    *("../../etc", "' OR 1=1 --", "{{7*7}}", "%s%n", "__class__", "\ufffe", "ﷺ" * 3_000),
    *([], {}, [[]], {"a": {}}, {"\ud800": 1}, {"": 0}, ["x"] * 600, [None], nested(14), nested(15)),
    *(nested(16), nested(17), nested(300), {CHATS[0]: -1}, {CHATS[0]: 2**53 + 1}, PEOPLE * 200),
]


@st.composite
def changed(draw: Any) -> dict[str, Any]:
    """A good frame in which a field is missing or anything at all."""
    frame = draw(good())
    name = draw(st.sampled_from([*frame, *PAYLOADS[frame["type"]]["properties"], "more", "\ud800"]))
    value = frame.pop(name, None)
    if draw(st.booleans()) or name in ("more", "ref"):
        frame[name] = draw(st.sampled_from(HOSTILE) | st.sampled_from(nearly(value)))
    return frame


def nearly(value: Any) -> list[Any]:
    """What a server that is not strict would take for it."""
    texts = [str(value), f" {value}", f"{value}\0"]
    return [*texts, [value], {"0": value}, float(value) if type(value) is int else not value]


def written(frame: dict[str, Any]) -> str:
    """As JSON, in UTF-8 where it can be."""
    try:
        text = json.dumps(frame, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(frame)
    return text


@st.composite
def broken(draw: Any) -> str:
    """A text that is no JSON, no object, or says things twice."""
    text = written(draw(good()))
    return draw(
        st.sampled_from(
            [
                text[: len(text) // 2],
                f"{text}{text}",
                f"[{text}]",
                f"\ufeff{text}",
                text.replace('"', "'"),
                f"{text[:-1]},}}",
                f'{text[:-1]}, "x": {"[" * 2_000}{"]" * 2_000}}}',
                f'{text[:-1]}, "x": NaN}}',
                f'{text[:-1]}, "x": 1e999}}',
                f'{text[:-1]}, "x": {"9" * 5_000}}}',
                f'{text[:-1]}, "type": "ping"}}',
                f'{text[:-1]}, "chat_id": 7, "chat_id": "{CHATS[0]}"}}',
                f'{{"ref": 7, {text[1:]}',
                f'{text[:-1]}, "ref": 7}}',
            ]
        )
        | st.text(CHARACTERS, max_size=20)
    )


TEXTS = st.sampled_from(
    [good().map(written)] * 4 + [changed().map(written)] * 4 + [broken()]
).flatmap(lambda strategy: strategy)
FATAL = st.sampled_from([(b"\0", 1003), (b"{}", 1003), ("x" * (MAX_FRAME_BYTES + 1), 1009)])


class Stage:
    """Alice talks; what is taken is written down."""

    def __init__(self, alice: Person, bob: Person, mallory: Person) -> None:
        self.alice = alice
        self.group, direct = alice.group_with(bob), alice.direct_chat_with(bob)
        foreign = bob.group_with(mallory)
        said = [alice.says(self.group, f"line {number}") for number in range(8)]
        said += [bob.says(self.group, "hello"), alice.says(direct, "hi"), bob.says(foreign, "psst")]
        said.append(alice.rest.get(f"/chats/{self.group['id']}").json()["last_message"])
        self.real = {TOKEN: alice.access}
        for names, things in ((CHATS, [self.group, direct, foreign]), (MESSAGES[2:], said)):
            self.real |= dict(zip(names, (thing["id"] for thing in things), strict=False))
        self.real |= dict(zip(PEOPLE, (alice.id, bob.id, mallory.id), strict=False))
        self.before = {chat["id"]: self._chat(chat["id"]) for chat in (self.group, direct)}
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.silent = 0
        self.counted: Counter[tuple[str, str]] = Counter()

    def _chat(self, chat_id: str) -> dict[str, Any]:
        chat: dict[str, Any] = self.alice.rest.get(f"/chats/{chat_id}").json()
        return chat

    def _say_something_new(self) -> None:
        """What there was may be deleted by now."""
        for name in MESSAGES[:2]:
            message = self.alice.says(self.group, "new")
            self.taken.append(("message.send", message))
            self.real[name] = message["id"]

    def _as_text(self, text: str, number: int) -> str:
        for name, real in self.real.items():
            text = text.replace(name, real)
        return text.replace('"ref": "', f'"ref": "{number} ', 1)

    async def talk(self, batch: list[str], fatal: tuple[str | bytes, int] | None) -> None:
        self._say_something_new()
        sent = [self._as_text(text, number) for number, text in enumerate(batch)]
        sent = [text for text in sent if len(text.encode()) <= MAX_FRAME_BYTES]
        async with self.alice.socket() as socket:
            for text in sent:
                await socket.send_as_is(text)
            assert (await socket.ask("ping"))["type"] == "ok"
            self._judge(sent, socket)
            if fatal:
                await socket.send_as_is(fatal[0])
                assert await socket.close_code() == fatal[1]

    def _judge(self, sent: list[str], socket: SocketClient) -> None:
        answers = socket.of_type("ok", "error")
        by_ref = Counter(answer.get("ref") for answer in answers)
        asked: dict[str, Any] = {}
        unnamed = range(0)
        for text in sent:
            frame = read_json(text)
            ref = usable_ref(frame)
            if ref is not None:
                assert by_ref[ref] == 1, text[:1000]
                asked[ref] = frame
            elif is_silent(frame):
                unnamed = range(unnamed.start, unnamed.stop + 1)
                self.silent += frame["type"] in CHANGES
            else:
                unnamed = range(unnamed.start + 1, unnamed.stop + 1)
        assert unnamed.start <= by_ref[None] <= unnamed.stop, sent
        assert len(answers) == 1 + len(asked) + by_ref[None]
        for answer in answers:
            self._take(asked.get(answer.get("ref", "")), answer)

    def _take(self, asked: Any, answer: dict[str, Any]) -> None:
        for error in answer.get("errors", []):
            assert error["code"] not in ("error", "try_again"), (asked, answer)
        if kind := kind_of(asked):
            self.counted[kind, answer["type"]] += 1
            if "message" in answer:
                self.taken.append((kind, answer["message"]))

    def assert_whole(self) -> None:
        """Each number was given once, to something that was answered ok."""
        unexplained = sum(self._unexplained(chat_id) for chat_id in self.before)
        assert unexplained <= self.silent
        assert {one["chat_id"] for _, one in self.taken} == set(self.before)

    def _unexplained(self, chat_id: str) -> int:
        before, after = self.before[chat_id], self._chat(chat_id)
        history = self._history(chat_id)
        assert [one["seq"] for one in history] == list(range(1, after["last_seq"] + 1))
        taken = [(kind, one) for kind, one in self.taken if one["chat_id"] == chat_id]
        by_id = {one["id"]: one for one in history}
        newest: dict[str, dict[str, Any]] = {}
        for _, one in taken:
            newest[one["id"]] = max(one, newest.get(one["id"], one), key=lambda it: it["version"])
        for key, one in newest.items():
            is_newer = by_id[key]["version"] > one["version"]
            assert self.silent if is_newer else by_id[key] == one
        sent = {one["seq"] for kind, one in taken if kind == "message.send"}
        new = range(before["last_seq"] + 1, after["last_seq"] + 1)
        versions = {one["version"] for _, one in taken}
        numbers = range(before["version"] + 1, after["version"] + 1)
        assert sent <= set(new)
        assert max(versions, default=0) <= after["version"]
        assert len(set(new) - sent) <= self.silent
        return len(set(numbers) - versions)

    def _history(self, chat_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            query = {"after": len(found), "limit": 200}
            page = self.alice.rest.get(f"/chats/{chat_id}/messages", params=query).json()
            found += page["results"]
            if not page["has_after"]:
                return found


def kind_of(frame: Any) -> str | None:
    kind = frame.get("type") if isinstance(frame, dict) else None
    return kind if isinstance(kind, str) and kind in FRAMES else None


def usable_ref(frame: Any) -> str | None:
    ref = frame.get("ref") if isinstance(frame, dict) else None
    if not isinstance(ref, str) or not 1 <= len(ref) <= 64:
        return None
    return ref if ref.encode(errors="replace").decode() == ref else None


def is_silent(frame: Any) -> bool:
    """Whether there may be no answer at all: nobody asked for one, and it is right."""
    kind = kind_of(frame)
    if kind is None or frame.get("ref") is not None:
        return False
    return fault_of(f"frame.{kind}", frame) is None


@pytest.fixture
def stage(alice: Person, bob: Person, mallory: Person) -> Stage:
    return Stage(alice, bob, mallory)


def talk_for(stage: Stage, rounds: int, *, derandomize: bool = True) -> None:
    @settings(
        derandomize=derandomize,
        database=None,
        max_examples=rounds,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,  # what fails says which frame it was
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(TEXTS, min_size=25, max_size=40), st.none() | FATAL)
    def one_round(batch: list[str], fatal: Any) -> None:
        asyncio.run(stage.talk(batch, fatal))

    one_round()


def test_whatever_frames_come_each_has_its_answer_and_the_chats_stay_whole(stage: Stage):
    talk_for(stage, 20)
    stage.assert_whole()
    assert {kind for kind, answer in stage.counted if answer == "ok"} == set(FRAMES)
    assert sum(count for (_, answer), count in stage.counted.items() if answer == "error") > 100


SAMPLE: dict[str, Any] = {
    "chat_id": CHATS[0],
    "message_id": MESSAGES[0],
    "content": "x",
    "client_id": "c",
    "message_type": "text",
    "reply_to": MESSAGES[0],
    "attachment_ids": [],
    "emoji": "👍",
    "seq": 1,
    "user_ids": [PEOPLE[0]],
    "epoch": "of another time",
    "chats": {CHATS[0]: 1},
    "token": TOKEN,
}


def near_misses(kind: str) -> list[str]:
    """Each field in turn a little wrong, missing, null; the others right."""
    schema = PAYLOADS[kind]
    right = {name: SAMPLE.get(name, kind) for name in schema["required"]}
    fields = sorted(schema["properties"].keys() - {"type", "ref"})
    changes = [{name: value} for name in fields for value in [*nearly(SAMPLE[name]), None]]
    missing = [{key: right[key] for key in right if key != name} for name in right]
    frames = [right, *missing, *(right | change for change in changes)]
    return [written({**frame, "ref": "ref"}) for frame in frames]


@pytest.mark.parametrize("kind", FRAMES)
def test_a_field_that_is_a_little_wrong_is_not_taken(stage: Stage, kind: str):
    asyncio.run(stage.talk(near_misses(kind), None))
    assert stage.counted[kind, "ok"] > 0
