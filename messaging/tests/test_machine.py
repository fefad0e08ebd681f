"""People who do anything in any order, by either door, held against a model of it all.

``MACHINE_EXAMPLES=500`` plays other games, so many of them, and shortens one that fails; let
pytest wait for it (``--timeout 0``).
"""

import os
import sys
from collections import Counter
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from chatproject.ids import new_id
from chatproject.testing import Server
from messaging.tests.machine.cast import Answer, Cast
from messaging.tests.machine.model import Refused, Room, Said

MANY = int(os.environ.get("MACHINE_EXAMPLES", 0))
EXAMPLES = settings(
    max_examples=MANY or 9,
    stateful_step_count=45,
    derandomize=not MANY,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink] if MANY else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)

MOST_ROOMS = 3
INSIDERS, OUTSIDER = ["ann", "bob", "cyd"], "eve"

Seat = tuple[Room, str]
rooms = Bundle("rooms")
insiders = st.sampled_from(INSIDERS)
numbers = st.integers(0, 12)


def somebody(drawn: tuple[Room, int]) -> Seat:
    """A room and who is in it, or now and then is not."""
    room, number = drawn
    others = [one for one in INSIDERS if one not in room.present]
    if number >= 11:
        return room, [*others, OUTSIDER][number % (len(others) + 1)]
    there = list(room.present) or INSIDERS
    return room, there[number % len(there)]


seats = st.tuples(rooms, numbers).map(somebody)
texts = ["hello", "*hi* @ann", "@bob, @cyd?", "@cyd @eve"]
client_ids = st.sampled_from([None, None, "one", "two"])
doors = st.sampled_from(["socket", "rest", "both"])
on_messages = st.sampled_from(
    [
        *(("message.edit", {"content": text}) for text in texts),
        *[("message.delete", {})] * 2,
        *(("reaction.add", {"emoji": emoji}) for emoji in ("👍", "❤️", "❤", "🎉")),
        *(("reaction.remove", {"emoji": emoji}) for emoji in ("👍", "❤")),
    ]
)
on_members = st.sampled_from(["add", "add", "remove", "member", "admin", "owner"])
on_chats = st.sampled_from(
    [
        *({"name": "Regatta"}, {"name": "Harbour"}, {"topic": None}, None, {"topic": "Who?"}),
        *({"name": "Harbour", "topic": "Why?"}, {"me": {"pinned": True}}),
        *({"me": {"pinned": False}}, None),
    ]
)
"""None ends it."""
rest_of_life = st.sampled_from(
    [
        ("message.send", {"content": " \u200b"}),
        ("message.send", {"content": 7}),
        ("message.send", {"content": "x" * 10_001}),
        ("message.send", {"content": "x", "client_id": "x" * 65}),
        ("message.send", {"content": "x", "reply_to": str(new_id())}),
        ("read", {"seq": -1}),
        ("read", {"seq": 2**53}),
        ("unread", {"seq": 0}),
        *["connection"] * 6,
        *["look"] * 2,
    ]
)
ACTS = set("say edit delete react read unread change pin end add remove give_role".split())
"""What each test plays with success."""


class Game(RuleBasedStateMachine):
    def __init__(self, server: Server, played: Counter[tuple[str, int]]) -> None:
        super().__init__()
        self.played = played
        self.rooms: list[Room] = []
        self.cast = Cast(server, [*INSIDERS, OUTSIDER])

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self._look_at_everything()
        finally:
            self.cast.close()

    def _look_at_everything(self) -> None:
        for name in self.cast.people:
            if name not in self.cast.sockets:
                self.cast.come_back(name)
            self.cast.hear(name, self.rooms)
            self.cast.look(name, self.rooms)

    @invariant()
    def whoever_is_there_holds_what_the_model_has(self) -> None:
        for name in self.cast.sockets:
            self.cast.hear(name, self.rooms)

    def _same(self, ought: partial[Any], answer: Answer) -> Any:
        """What the model makes of it; None where it refuses, as the server has to."""
        found, expected = None, range(200, 300)
        try:
            found = ought()
        except Refused as refused:
            expected = range(refused.status, refused.status + 1)
        note(f"{ought.func.__name__}{ought.args} is answered {answer[0]}")
        assert answer[0] in expected, (answer, expected)
        self.played[ought.func.__name__, answer[0]] += 1
        return found

    def _same_message(self, room: Room, ought: partial[Said], answer: Answer) -> None:
        said: Said | None = self._same(ought, answer)
        if said and answer[1]:  # there is none where one is deleted by REST
            document = answer[1]
            seqs = {document["reply_to"]: said.reply_to}
            assert self.cast.facts_of(document, seqs) == said.facts

    # Chats

    @initialize(target=rooms)
    def begin(self) -> Room:
        room = self._make_a_group("ann", ["bob", "cyd"])
        for who, content in (("ann", "hello"), ("bob", "*hi* @ann"), ("cyd", "@bob, @ann?")):
            said = {"chat_id": room.id, "content": self.cast.written(content)}
            answer = self.cast.ask(who, "message.send", by_rest=False, **said)
            self._same_message(room, partial(room.say, who, content), answer)
        return room

    @rule(target=rooms, who=insiders, others=st.none() | st.lists(insiders, unique=True))
    def open(self, who: str, others: list[str] | None) -> Any:
        """A group with others, or the direct chat of Ann and Bob."""
        if others is None:
            return self._open_a_direct_chat(*(["bob", "ann"] if who == "bob" else ["ann", "bob"]))
        is_full = sum(not room.is_gone for room in self.rooms) >= MOST_ROOMS
        return multiple() if is_full else self._make_a_group(who, others)

    def _make_a_group(self, who: str, others: list[str]) -> Room:
        room = Room([who, *(one for one in others if one != who)], name="Regatta")
        return self._begun(room, self._open(who, others, type="group", name="Regatta"))

    def _open_a_direct_chat(self, who: str, other: str) -> Any:
        answer = self._open(who, [other], type="direct")
        known = [room for room in self.rooms if room.name is None]
        if known:
            assert (answer[0], answer[1]["id"]) == (200, known[0].id)
            return multiple()
        return self._begun(Room([who, other]), answer)

    def _open(self, who: str, others: list[str], **facts: str) -> Answer:
        members = [self.cast.people[one].id for one in others]
        return self.cast.request(who, "POST", "/chats", members=members, **facts)

    def _begun(self, room: Room, answer: Answer) -> Room:
        assert answer[0] == 201
        room.id = answer[1]["id"]
        self.rooms.append(room)
        return room

    @rule(seat=seats, facts=on_chats)
    def change_chat(self, seat: Seat, facts: dict[str, Any] | None) -> None:
        room, who = seat
        path = f"/chats/{room.id}"
        if facts:
            act = partial(room.pin, who, **facts["me"]) if "me" in facts else None
            act = act or partial(room.change, who, facts)
            self._same(act, self.cast.request(who, "PATCH", path, **facts))
        else:
            self._same(partial(room.end, who), self.cast.request(who, "DELETE", path))

    @rule(seat=seats, whom=insiders, act=on_members)
    def change_members(self, seat: Seat, whom: str, act: str) -> None:
        room, who = seat
        user_id = self.cast.people[whom].id
        path = f"/chats/{room.id}/members"
        if act == "add":
            answer = self.cast.request(who, "POST", path, user_ids=[user_id])
            self._same(partial(room.add, who, whom), answer)
        elif act == "remove":
            answer = self.cast.request(who, "DELETE", f"{path}/{user_id}")
            self._same(partial(room.remove, who, whom), answer)
        else:
            answer = self.cast.request(who, "PATCH", f"{path}/{user_id}", role=act)
            self._same(partial(room.give_role, who, whom, act), answer)

    # Messages and marks

    @rule(
        seat=seats,
        content=st.sampled_from(texts),
        client_id=client_ids,
        replies=st.none() | numbers,
        door=doors,
    )
    def say(
        self, seat: Seat, content: str, client_id: str | None, replies: int | None, door: str
    ) -> None:
        """With a ``client_id`` that may have been used before, here or by another."""
        room, who = seat
        seq, message_id = (None, None) if replies is None else self._message(room, replies)
        said = {"chat_id": room.id, "content": self.cast.written(content)}
        said |= {"client_id": client_id, "reply_to": message_id}
        if door == "both" and client_id and who in self.cast.sockets:
            answers = self.cast.say_twice(who, **said)
        else:
            answers = [self.cast.ask(who, "message.send", by_rest=door != "socket", **said)]
        for answer in answers:
            self._same_message(room, partial(room.say, who, content, client_id, seq), answer)

    @rule(seat=seats, number=numbers, asked=on_messages, by_rest=st.booleans())
    def change_message(self, seat: Seat, number: int, asked: Any, by_rest: bool) -> None:
        room, who = seat
        kind, facts = asked
        seq, message_id = self._message(room, number)
        fields = {key: self.cast.written(value) for key, value in facts.items()}
        where = {"chat_id": room.id, "message_id": message_id}
        answer = self.cast.ask(who, kind, by_rest=by_rest, **where, **fields)
        act = {
            "message.edit": room.edit,
            "message.delete": room.delete,
            "reaction.add": partial(room.react, is_there=True),
            "reaction.remove": partial(room.react, is_there=False),
        }[kind]
        self._same_message(room, partial(act, who, seq, **facts), answer)

    def _message(self, room: Room, number: int) -> tuple[int, str]:
        """Counted from the newest, around and around. Where nothing is said, one of nobody."""
        seq = len(room.said) - number % max(len(room.said), 1)
        return seq, self.cast.id_of(room, seq)

    @rule(seat=seats, seq=numbers, is_read=st.booleans(), by_rest=st.booleans())
    def mark(self, seat: Seat, seq: int, is_read: bool, by_rest: bool) -> None:
        room, who = seat
        if is_read:
            seq %= len(room.said) + 2
            answer = self.cast.ask(who, "read", by_rest=by_rest, chat_id=room.id, seq=seq)
            self._same(partial(room.read, who, seq), answer)
        else:
            seq = 1 + seq % (len(room.said) + 1)
            answer = self.cast.ask(who, "unread", by_rest=by_rest, chat_id=room.id, seq=seq)
            self._same(partial(room.unread, who, seq), answer)

    # The rest of life

    @rule(seat=seats, asked=rest_of_life, by_rest=st.booleans())
    def live_on(self, seat: Seat, asked: Any, by_rest: bool) -> None:
        """Asks wrongly, looks, or loses the connection until the next time."""
        room, who = seat
        if asked == "look":
            self._look(room, who)
        elif asked != "connection":
            kind, fields = asked
            status, _ = self.cast.ask(who, kind, by_rest=by_rest, chat_id=room.id, **fields)
            assert status == 400 or (status == 404 and who not in room.present)
        elif who in self.cast.sockets:
            self.cast.cut(who)
        else:
            self.cast.come_back(who)

    def _look(self, room: Room, who: str) -> None:
        """Who is not there finds nothing, at any address of it."""
        if who in room.present:
            self.cast.look(who, self.rooms)
            return
        for rest in ("", "/members", "/messages", "/changes?since=0"):
            assert self.cast.request(who, "GET", f"/chats/{room.id}{rest}")[0] == 404


def test_whatever_people_do_the_server_is_as_the_model(server: Server):
    played: Counter[tuple[str, int]] = Counter()
    run_state_machine_as_test(partial(Game, server, played), settings=EXAMPLES)
    assert {act for act, status in played if status < 300} == ACTS
    assert {status for _, status in played} == {200, 201, 204, 400, 403, 404, 409}
