"""Demonstration data: as if people had made it themselves."""

import asyncio
import itertools
import json
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from chatproject.ids import new_id
from chatproject.testing import Person, Server, rest_client, tidily
from chats.models import Chat, Membership
from messaging.changes import changes
from messaging.formatting import to_html
from messaging.models import Mention, Message, Reaction
from messaging.seed.names import names
from messaging.seed.themes import direct_themes, group_themes

pytestmark = pytest.mark.usefixtures("installation")

SMALL = {"users": 12, "groups": 4, "group_size": 8, "messages": 400}


class Seeded:
    """What one run made."""

    def __init__(self, folder: Path, **options: Any) -> None:
        before = set(User.objects.values_list("id", flat=True))
        path = folder / f"{new_id()}.jsonl"
        call_command("seed", tokens=path, **options)
        self.lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.path = path
        self.people = list(User.objects.exclude(id__in=before).order_by("username"))
        self.chats = list(Chat.objects.filter(memberships__user__in=self.people).distinct())
        self.messages = Message.objects.filter(chat__in=self.chats)
        self.texts = self.messages.exclude(message_type="system")


@pytest.fixture(scope="module")
def seeded(installation: None, tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    return Seeded(tmp_path_factory.mktemp("seed"), **SMALL)


def test_there_is_as_much_as_was_asked_for(seeded: Seeded) -> None:
    assert len(seeded.people) == 12
    groups = [chat for chat in seeded.chats if not chat.is_direct]
    assert [chat.member_count for chat in groups] == [8] * 4
    assert len(seeded.chats) > len(groups)
    assert seeded.texts.count() == 400


def test_seq_and_version_have_no_hole(seeded: Seeded) -> None:
    for chat in seeded.chats:
        assert_sound(chat)


def assert_sound(chat: Chat) -> None:
    chat.refresh_from_db()
    messages = list(Message.objects.filter(chat=chat).order_by("seq"))
    seats = list(Membership.objects.filter(chat=chat).order_by("version"))
    assert [one.seq for one in messages] == list(range(1, chat.last_seq + 1))
    assert [seat.version for seat in seats] == list(range(1, chat.member_count + 1))
    taken = [seat.version for seat in seats] + [chat.profile_version or chat.member_count + 1]
    for one in messages:
        taken += range(one.created_version, one.version + 1)
    assert sorted(set(taken)) == list(range(1, chat.version + 1))
    assert Counter(taken).most_common(1)[0][1] == 1 or chat.is_direct
    assert chat.active_at == messages[-1].created_at
    moments = [one.created_at for one in messages]
    assert moments == sorted(moments)
    assert [one.id for one in messages] == sorted(one.id for one in messages)
    assert all(0 <= seat.last_read_seq <= chat.last_seq for seat in seats)


def test_each_later_change_of_a_message_has_a_version(seeded: Seeded) -> None:
    given = Counter(
        Reaction.objects.filter(message__in=seeded.messages).values_list("message", flat=True)
    )
    assert given
    for one in seeded.texts:
        later = given[one.id] + bool(one.edited_at) + bool(one.deleted_at)
        assert one.version - one.created_version == later


def test_changes_bring_a_whole_chat_in_one_piece(seeded: Seeded) -> None:
    chat = seeded.chats[0]
    told = changes(chat, 0)
    assert told["complete"]
    assert len(told["messages"]) == chat.last_seq


def test_html_and_mentions_are_those_of_the_writer(seeded: Seeded) -> None:
    shown = {user.username: (str(user.id), user.display_name) for user in seeded.people}
    for one in seeded.texts.filter(deleted_at=None):
        assert one.html == to_html(one.content, shown)
    rows = Mention.objects.filter(chat__in=seeded.chats)
    pairs = sorted((str(row.message_id), str(row.user_id)) for row in rows)
    assert pairs
    others = [
        (str(one.id), user_id)
        for one in seeded.texts
        for user_id in one.mentions
        if user_id != str(one.sender_id)
    ]
    assert pairs == sorted(others)


def test_who_mentions_themselves_has_nothing_to_read(tmp_path: Path) -> None:
    chats = Seeded(tmp_path, users=3, groups=6, messages=900).chats
    texts = Message.objects.filter(chat__in=chats)
    assert any(str(one.sender_id) in one.mentions for one in texts)
    assert not Mention.objects.filter(chat__in=chats, user=F("message__sender")).exists()


def test_text_is_varied_and_looks_real(seeded: Seeded) -> None:
    assert {"ana", "meiling", "sara"} <= {re.sub(r"\d", "", one.username) for one in seeded.people}
    html = " ".join(seeded.texts.values_list("html", flat=True))
    wanted = ["<strong>", "<code", "<blockquote", "<ol>", "<li", 'class="mention"', "😂", "jumbo"]
    assert [mark for mark in wanted if mark not in html] == []
    for script in ("[\u0600-\u06ff]{3}", "[\u4e00-\u9fff]{3}", "ção|ões", "ß|ü"):
        assert re.search(script, html), script
    assert seeded.texts.filter(reply_to__isnull=False).exists()
    assert seeded.texts.filter(edited_at__isnull=False).exists()
    assert not re.search(
        r"\{\w+\}|@[A-H]\b", " ".join(seeded.texts.values_list("content", flat=True))
    )


def test_replies_answer_a_message_of_the_same_chat(seeded: Seeded) -> None:
    places = dict(seeded.messages.values_list("id", "chat_id"))
    for one in seeded.texts.filter(reply_to__isnull=False):
        assert places[one.reply_to] == one.chat_id


def test_the_newest_message_is_from_now_and_none_from_the_future(seeded: Seeded) -> None:
    newest = seeded.texts.order_by("-created_at").first()
    assert newest
    assert abs((timezone.now() - newest.created_at).total_seconds()) < 300
    assert not seeded.texts.filter(edited_at__gt=timezone.now()).exists()


def test_some_have_read_all_and_some_have_not(seeded: Seeded) -> None:
    behind = [
        seat.chat.last_seq - seat.last_read_seq
        for seat in Membership.objects.filter(chat__in=seeded.chats).select_related("chat")
    ]
    assert 0 in behind
    assert max(behind) > 0


def test_direct_chats_are_found_again_and_not_made_twice(seeded: Seeded, server: Server) -> None:
    chat = next(chat for chat in seeded.chats if chat.is_direct)
    one, other = (seat.user_id for seat in chat.memberships.all())
    with client_of(seeded, server, one) as rest:
        answer = rest.post("/chats", json={"type": "direct", "members": [str(other)]})
    assert answer.status_code == 200
    assert answer.json()["id"] == str(chat.id)


def client_of(seeded: Seeded, server: Server, user_id: Any) -> httpx.Client:
    line = next(line for line in seeded.lines if line["user_id"] == str(user_id))
    return rest_client(server, headers={"Authorization": f"Bearer {line['access']}"})


def test_tokens_open_the_api_and_hold_for_a_day(seeded: Seeded, server: Server) -> None:
    assert len(seeded.lines) == 12
    assert os.stat(seeded.path).st_mode & 0o077 == 0
    line = seeded.lines[0]
    claims = jwt.decode(line["access"], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 24 * 3600
    with client_of(seeded, server, line["user_id"]) as rest:
        assert rest.get("/users/me").json()["id"] == line["user_id"]
        chats = rest.get("/chats", params={"limit": 200}).json()["results"]
    assert {chat["id"] for chat in chats} == set(line["chats"])
    login = {"username": line["username"], "password": line["password"]}
    assert httpx.post(f"{server.url}/auth/login", json=login, timeout=30).status_code == 200


def test_life_goes_on_in_a_demonstration_chat(seeded: Seeded, server: Server) -> None:
    chat = next(chat for chat in seeded.chats if not chat.is_direct)
    owner = chat.memberships.get(role="owner")
    with client_of(seeded, server, owner.user_id) as rest:
        before = rest.get(f"/chats/{chat.id}").json()
        sent = rest.post(f"/chats/{chat.id}/messages", json={"content": "And now me"}).json()
    assert sent["seq"] == before["last_seq"] + 1
    assert sent["version"] == before["version"] + 1
    assert_sound(chat)


async def test_a_running_server_goes_on_meanwhile(
    tmp_path: Path, alice: Person, group: dict[str, Any], seeded: Seeded
) -> None:
    async with alice.socket() as socket:
        work = asyncio.create_task(
            asyncio.to_thread(tidily, Seeded, tmp_path, users=20, groups=3, messages=6000)
        )
        waits = []
        while not work.done():
            started = asyncio.get_running_loop().time()
            answer = await socket.ask("message.send", chat_id=group["id"], content="Still here")
            assert answer["type"] == "ok"
            waits.append(asyncio.get_running_loop().time() - started)
            await asyncio.sleep(0.05)
        await work
    assert len(waits) > 10
    assert max(waits) < 2


def test_a_second_run_adds_other_people(seeded: Seeded, tmp_path: Path) -> None:
    more = Seeded(tmp_path, users=12)
    assert len(more.people) == 12
    assert more.chats == []
    assert not {one.username for one in seeded.people} & {one.username for one in more.people}
    assert len({one.password for one in more.people}) == 1


def test_whose_name_is_taken_in_any_case_is_passed_over(
    tmp_path: Path, person: Callable[..., Person]
) -> None:
    free = (name.key for name in names(_seeded_random()))
    taken = {key.lower() for key in User.objects.values_list("username", flat=True)}
    following = next(key for key in free if key not in taken)
    User.objects.create(username=following.upper(), email=f"{following}@elsewhere.example")
    made = Seeded(tmp_path, users=3).people
    assert len(made) == 3
    assert following not in {one.username for one in made}


def _seeded_random() -> Any:
    from random import Random

    from messaging.management.commands.seed import SEED

    return Random(SEED)


def test_names_never_run_out_and_never_repeat() -> None:
    keys = [name.key for name in itertools.islice(names(_seeded_random()), 5000)]
    assert len(set(keys)) == 5000
    assert all(re.fullmatch(r"[a-z0-9_.-]{2,32}", key) for key in keys)


def test_every_theme_has_a_part_for_who_speaks() -> None:
    for theme in [*group_themes(), *direct_themes()]:
        parts = {line.speaker for scene in theme.scenes for line in scene}
        assert parts <= set("ABCDEFGH" if theme.name != "-" else "AB")
        assert len(theme.scenes) >= 3
        assert not any(scene[0].is_reply for scene in theme.scenes)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"users": 0}, "--users"),
        ({"users": 3, "groups": 1, "group_size": 4}, "--group-size"),
        ({"users": 1, "messages": 5}, "--users"),
        ({"users": 2, "messages": -1}, "negative"),
        ({"users": 2, "tokens": Path("/nowhere/at/all")}, "folder"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    options: dict[str, Any], word: str
) -> None:
    before = User.objects.count()
    with pytest.raises(CommandError, match=word):
        call_command("seed", **options)
    assert User.objects.count() == before
