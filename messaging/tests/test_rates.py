"""How much one may send, and how many sockets one may have: the same through every door."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import update_profile
from accounts.models import User
from chatproject.errors import RateLimited
from chatproject.ids import new_id
from chatproject.testing import PASSWORD, Newcomer, Person, Server, error_of, rest_client
from chats import actions as chat_actions
from chats.models import Chat
from messaging.batches import Posted, Send, write_batch

BURST = 40
A_SECOND = 2
MAX_SOCKETS = 10


@pytest.fixture
def ana(newcomer: Callable[[str], Newcomer]) -> Newcomer:
    return newcomer("ana")


@pytest.fixture
def ben(newcomer: Callable[[str], Newcomer]) -> Newcomer:
    return newcomer("ben")


@pytest.fixture
def chat(ana: Newcomer, ben: Newcomer) -> dict[str, Any]:
    return ana.direct_chat_with(ben)


def post(who: Person, chat: dict[str, Any], **more: Any) -> httpx.Response:
    return who.rest.post(f"/chats/{chat['id']}/messages", json={"content": "x", **more})


def stored(who: Person, chat: dict[str, Any]) -> int:
    last_seq = who.rest.get(f"/chats/{chat['id']}").json()["last_seq"]
    assert isinstance(last_seq, int)
    return last_seq


def assert_within_rate(count: int, began_at: float) -> None:
    """The burst, and what has grown back since; a tenth more or less."""
    most = BURST + A_SECOND * (time.monotonic() - began_at)
    assert BURST * 0.9 <= count <= most * 1.1


# Messages


def test_rest_refuses_beyond_the_burst_says_when_and_goes_on_then(
    ana: Newcomer, chat: dict[str, Any]
):
    began_at = time.monotonic()
    answers = [post(ana, chat) for _ in range(60)]
    sent = [one for one in answers if one.status_code == 201]
    assert {one.status_code for one in answers[:BURST]} == {201}
    assert_within_rate(len(sent), began_at)
    assert stored(ana, chat) == len(sent)
    refused = next(one for one in answers if one.status_code != 201)
    entry = error_of(refused, 429)
    assert (entry["code"], entry["attr"], entry["retry_after"]) == ("rate_limited", None, 1)
    assert refused.headers["Retry-After"] == "1"
    assert entry["detail"].endswith("Try again in 1 second.")
    time.sleep(entry["retry_after"])
    assert post(ana, chat).status_code == 201


async def test_a_socket_answers_each_of_too_many_frames(ana: Newcomer, chat: dict[str, Any]):
    began_at = time.monotonic()
    async with ana.socket() as socket:
        refs = [f"r{number}" for number in range(80)]
        for ref in refs:
            await socket.send("message.send", ref=ref, chat_id=chat["id"], content=ref)
        answers = [await socket.until(lambda frame: "ref" in frame) for _ in refs]
        assert {one["ref"] for one in answers} == set(refs)
        sent = [one for one in answers if one["type"] == "ok"]
        assert_within_rate(len(sent), began_at)
        refused = next(one for one in answers if one["type"] == "error")
        assert refused["errors"][0]["code"] == "rate_limited"
        assert refused["errors"][0]["retry_after"] == 1
        await asyncio.sleep(1)
        again = await socket.ask("message.send", chat_id=chat["id"], content="later")
        assert again["type"] == "ok"
    assert stored(ana, chat) == len(sent) + 1


@contextlib.contextmanager
def page_of(who: Newcomer) -> Iterator[httpx.Client]:
    """A browser without scripts, signed in."""
    with rest_client(who.server) as page:
        page.get("/login")
        form = {"username": who.username, "password": PASSWORD, "csrfmiddlewaretoken": token(page)}
        assert page.post("/login", data=form).status_code == 302
        yield page


def token(client: httpx.Client) -> str:
    return client.cookies["csrftoken"]


async def test_all_doors_count_together(ana: Newcomer, chat: dict[str, Any]):
    path = f"/c/{chat['id']}"
    with page_of(ana) as page:
        page.get(path)
        form = {"content": "by <form>", "csrfmiddlewaretoken": token(page)}
        async with ana.socket() as socket:
            for _ in range(BURST // 2):
                await socket.ask("message.send", chat_id=chat["id"], content="x")
                assert post(ana, chat).status_code == 201
            assert page.post(path, data=form).status_code in (302, 429)
            answer = {"type": "ok"}
            while answer["type"] == "ok":
                post(ana, chat)
                answer = await socket.ask("message.send", chat_id=chat["id"], content="x")
            assert answer["errors"][0]["code"] == "rate_limited"
        while (refused := page.post(path, data=form)).status_code == 302:
            pass
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        assert "Not sent. That is too fast. Try again in 1 second." in refused.text
        assert "by &lt;form&gt;" in refused.text
        time.sleep(1)
        assert page.post(path, data=form).status_code == 302


def test_a_repeat_costs_nothing_and_is_answered_beyond_the_rate(
    ana: Newcomer, chat: dict[str, Any]
):
    first = post(ana, chat, client_id="once")
    for _ in range(2 * BURST):
        assert post(ana, chat, client_id="once").status_code == 200
    assert [post(ana, chat).status_code for _ in range(BURST - 1)] == [201] * (BURST - 1)
    while post(ana, chat).status_code == 201:
        pass
    repeat = post(ana, chat, client_id="once")
    assert (repeat.status_code, repeat.json()) == (200, first.json())


def test_a_refused_client_id_is_free(ana: Newcomer, chat: dict[str, Any]):
    for number in count():
        if post(ana, chat, client_id=f"{number}").status_code == 429:
            break
    time.sleep(1)
    assert post(ana, chat, client_id=f"{number}").status_code == 201


def test_what_is_wrong_costs_nothing(ana: Newcomer, chat: dict[str, Any]):
    for _ in range(2 * BURST):
        assert post(ana, chat, reply_to=str(new_id())).status_code == 400
    assert [post(ana, chat).status_code for _ in range(BURST)] == [201] * BURST


def test_one_who_sends_too_much_slows_nobody_else(
    ana: Newcomer, ben: Newcomer, chat: dict[str, Any]
):
    while post(ana, chat).status_code == 201:
        pass
    assert [post(ben, chat).status_code for _ in range(5)] == [201] * 5


def test_sixteen_who_send_at_once_get_no_more_than_one(ana: Newcomer, chat: dict[str, Any]):
    began_at = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(ana, chat).status_code, range(96)))
    assert set(answers) == {201, 429}
    assert_within_rate(answers.count(201), began_at)
    assert stored(ana, chat) == answers.count(201)


# In this process: one batch


@pytest.fixture
def limited(settings: Any) -> Any:
    settings.RATE_LIMITS = True
    return settings


def send_of(who: Person, chat: dict[str, Any], client_id: str | None = None) -> Send:
    chat_id = UUID(chat["id"])
    return Send(
        sender_id=who.user.id, sign_in_id=None, chat_id=chat_id, content="x", client_id=client_id
    )


def test_a_batch_has_one_query_more_for_it_however_many_send(
    alice: Person, bob: Person, group: dict[str, Any], limited: Any
):
    counts = {}
    for is_on, size in [(True, 1), (True, 20), (False, 1)]:
        limited.RATE_LIMITS = is_on
        with CaptureQueriesContext(connection) as queries:
            write_batch([send_of((alice, bob)[number % 2], group) for number in range(size)])
        counts[is_on, size] = len(queries)
    assert counts[True, 1] == counts[True, 20] == counts[False, 1] + 1


def test_of_one_batch_the_first_are_stored_and_each_other_is_refused(
    alice: Person, bob: Person, group: dict[str, Any], limited: Any
):
    batch = [send_of(alice, group, f"c{number % 45}") for number in range(90)]
    outcomes = write_batch([*batch, send_of(bob, group)])
    assert [type(one) for one in outcomes[:BURST]] == [Posted] * BURST
    assert [type(one) for one in outcomes[BURST:45]] == [RateLimited] * 5
    repeats = outcomes[45:90]
    assert [one.is_new for one in repeats if isinstance(one, Posted)] == [False] * BURST
    assert isinstance(outcomes[-1], Posted)
    assert outcomes[-1].message["seq"] == outcomes[0].message["seq"] + BURST


def test_repeats_within_one_batch_cost_nothing(alice: Person, group: dict[str, Any], limited: Any):
    write_batch([send_of(alice, group, "twin") for _ in range(30)])
    outcomes = write_batch([send_of(alice, group) for _ in range(BURST - 1)])
    assert [type(one) for one in outcomes] == [Posted] * (BURST - 1)


# Changes: all else that others hear of


_numbers = count()


def edit(who: Person, path: str) -> int:
    return who.rest.patch(path, json={"content": f"number {next(_numbers)}"}).status_code


async def test_changes_are_limited_at_every_door_and_messages_go_on(
    ana: Newcomer, chat: dict[str, Any]
):
    began_at = time.monotonic()
    message = ana.says(chat, "x")
    path = f"/chats/{chat['id']}/messages/{message['id']}"
    answers: list[int] = []
    with ThreadPoolExecutor(16) as pool:
        while answers.count(429) < 50:  # on a slow machine it takes a while to be too fast
            answers += pool.map(lambda _: edit(ana, path), range(100))
    edited = answers.count(200)
    assert set(answers) == {200, 429}
    assert 180 <= edited <= (200 + 10 * (time.monotonic() - began_at)) * 1.1
    assert ana.rest.get(f"/chats/{chat['id']}").json()["version"] == message["version"] + edited
    async with ana.socket() as socket:
        where = {"chat_id": chat["id"], "message_id": message["id"]}
        answer = {"type": "ok"}
        while answer["type"] == "ok":
            answer = await socket.ask("message.edit", **where, content=f"number {next(_numbers)}")
        assert answer["errors"][0]["code"] == "rate_limited"
        sent = await socket.ask("message.send", chat_id=chat["id"], content="x")
        assert sent["type"] == "ok"


@pytest.mark.parametrize(
    "change",
    [
        lambda who, other, chat, n: chat_actions.create_group(actor=who, name="x"),
        lambda who, other, chat, n: chat_actions.update_chat(actor=who, chat=chat, name=f"{n}"),
        lambda who, other, chat, n: chat_actions.set_role(
            actor=who, chat=chat, user_id=other.id, role=["admin", "member"][n % 2]
        ),
        lambda who, other, chat, n: (
            chat_actions.add_members(actor=who, chat=chat, users=[other])
            if n % 2
            else chat_actions.remove_member(actor=who, chat=chat, user_id=other.id)
        ),
        lambda who, other, chat, n: update_profile(
            actor=User.objects.get(id=who.id), display_name=f"Alice {n}"
        ),
    ],
)
def test_every_change_is_counted_and_one_too_many_changes_nothing(
    alice: Person, bob: Person, group: dict[str, Any], limited: Any, change: Any
):
    limited.RATES = {**limited.RATES, "change": (5, 3600, 5)}
    chat = Chat.objects.get(id=group["id"])
    for number in range(5):
        change(alice.user, bob.user, chat, number)
    before = told(alice)
    for _ in range(3):
        with pytest.raises(RateLimited):
            change(alice.user, bob.user, chat, 5)
    assert told(alice) == before
    assert write_batch([send_of(alice, group)])[0].message["content"] == "x"  # type: ignore[union-attr]


def told(who: Person) -> list[Any]:
    facts = ["id", "version", "last_seq", "member_count", "name"]
    name = list(User.objects.filter(id=who.id).values_list("display_name"))
    return name + list(Chat.objects.filter(memberships__user=who.id).order_by("id").values(*facts))


def test_what_changes_nothing_costs_nothing(alice: Person, group: dict[str, Any], limited: Any):
    limited.RATES = {**limited.RATES, "change": (5, 3600, 5)}
    chat = Chat.objects.get(id=group["id"])
    for _ in range(20):
        chat_actions.update_chat(actor=alice.user, chat=chat, name="The same")
    chat_actions.update_chat(actor=alice.user, chat=chat, name="Another")


# Sockets


async def until_closed(who: Person) -> int:
    """The code with which a new socket is closed, before it is greeted."""
    with pytest.raises(Exception, match="4429") as refused:
        async with who.socket():
            pass
    return refused.value.rcvd.code  # type: ignore[attr-defined,no-any-return]


async def test_the_eleventh_socket_is_closed_and_the_ten_go_on(ana: Newcomer, ben: Newcomer):
    async with contextlib.AsyncExitStack() as stack:
        ten = [await stack.enter_async_context(ana.socket()) for _ in range(MAX_SOCKETS)]
        assert await until_closed(ana) == 4429
        for socket in ten:
            assert (await socket.ask("ping"))["type"] == "ok"
        async with ben.socket() as other:
            assert (await other.ask("ping"))["type"] == "ok"


async def test_a_closed_socket_leaves_its_place_before_its_presence_ends(ana: Newcomer):
    async with contextlib.AsyncExitStack() as stack:
        ten = [await stack.enter_async_context(ana.socket()) for _ in range(MAX_SOCKETS)]
        for socket in ten[:5]:
            await socket.ws.close()
            await asyncio.sleep(0.5)  # for the other process, where there are two, to hear of it
            another = await stack.enter_async_context(ana.socket())
            assert (await another.ask("ping"))["type"] == "ok"
        assert await until_closed(ana) == 4429


async def test_of_sixteen_sockets_at_once_ten_stay(ana: Newcomer):
    async with contextlib.AsyncExitStack() as stack:
        opening = [stack.enter_async_context(ana.socket()) for _ in range(16)]
        opened = await asyncio.gather(*opening, return_exceptions=True)
        refused = [one for one in opened if isinstance(one, BaseException)]
        assert {one.rcvd.code for one in refused} == {4429}  # type: ignore[attr-defined]
        assert len(opened) - len(refused) == MAX_SOCKETS


async def test_sixty_connects_a_minute_and_not_many_more(ana: Newcomer, ben: Newcomer):
    began_at, count = time.monotonic(), 0
    refused = ""
    while not refused and count < 240:
        try:
            async with ana.socket():
                count += 1
        except Exception as error:
            refused = str(error)
    assert "4429" in refused
    assert 54 <= count <= (60 + time.monotonic() - began_at) * 1.1
    async with ben.socket() as other:
        assert (await other.ask("ping"))["type"] == "ok"


async def test_a_flood_of_frames_is_closed_with_4429(ana: Newcomer, chat: dict[str, Any]):
    async with ana.socket() as other, ana.socket() as socket:
        with contextlib.suppress(Exception):
            for _ in range(1000):
                await socket.send("message.send", ref="r", chat_id=chat["id"], content="x")
        assert await socket.close_code() == 4429
        codes = [one["errors"][0]["code"] for one in socket.of_type("error")]
        assert codes
        assert set(codes) == {"rate_limited"}
        assert (await other.ask("ping"))["type"] == "ok"


def test_switched_off_there_is_a_warning_and_no_limit(server: Server, strict_server: Server):
    assert "RATE_LIMITS=off" in server.log.read_text()
    assert "RATE_LIMITS=off" not in strict_server.log.read_text()


async def test_switched_off_there_are_more_than_ten_sockets(alice: Person):
    async with contextlib.AsyncExitStack() as stack:
        many = [await stack.enter_async_context(alice.socket()) for _ in range(MAX_SOCKETS + 2)]
        for socket in many:
            assert (await socket.ask("ping"))["type"] == "ok"
