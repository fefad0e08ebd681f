"""Rates where no proxy says who asks, and where Redis is killed meanwhile."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest
from django.conf import settings

from chatproject.testing import IS_SERVICES, Newcomer, Server, another_installation, rest_client
from chatproject.testing.services import RedisServer

BURST, A_SECOND = 40, 2
PROMISED = {
    "message": (20, 10, 40),
    "connect": (60, 60, 60),
    "sign-in": (5, 15 * 60, 5),
    "sign-in from address": (30, 15 * 60, 30),
    "sign-in to account": (100, 15 * 60, 100),
}
_numbers = count(1)


def test_the_settings_say_what_is_promised():
    assert {name: settings.RATES[name] for name in PROMISED} == PROMISED
    assert settings.MAX_SOCKETS == 10


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer | None]:
    if not IS_SERVICES:
        yield None
        return
    one = RedisServer()
    one.start()
    yield one
    one.kill()


@pytest.fixture(scope="module")
def alone(
    installation: None, own_redis: RedisServer | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that limits rates and believes no proxy, for the tests of this module."""
    place = another_installation(tmp_path_factory.mktemp("alone"))
    place |= {"REDIS_URL": own_redis.url} if own_redis else {}
    server = Server(**place, RATE_LIMITS="on", TRUSTED_PROXIES="")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def newcomer(alone: Server) -> Iterator[Callable[[str], Newcomer]]:
    made: list[Newcomer] = []

    def make(name: str) -> Newcomer:
        made.append(Newcomer(alone, name))
        return made[-1]

    yield make
    for one in made:
        one.rest.close()


def guess(guest: httpx.Client, who: Newcomer, **headers: str) -> int:
    body = {"username": who.username, "password": "wrong horse 9"}
    return guest.post("/auth/login", json=body, headers=headers).status_code


def new_address() -> str:
    return f"203.0.113.{next(_numbers)}"


HEADERS = ("X-Forwarded-For", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP")


def test_an_address_that_somebody_makes_up_helps_nobody(
    alone: Server, newcomer: Callable[[str], Newcomer]
):
    ana = newcomer("ana")
    with rest_client(alone) as guest:
        answers = []
        for _ in range(6):
            made_up = {**dict.fromkeys(HEADERS, new_address()), "Forwarded": f"for={new_address()}"}
            answers.append(guess(guest, ana, **made_up))
    assert answers == [401] * 5 + [429]


@pytest.mark.services
async def test_rates_hold_while_redis_is_killed_and_after(
    alone: Server, own_redis: RedisServer, newcomer: Callable[[str], Newcomer]
):
    ana, ben, cleo = newcomer("ana"), newcomer("ben"), newcomer("cleo")
    path = f"/chats/{ana.direct_chat_with(ben)['id']}/messages"
    answers: list[int] = []
    enough = threading.Event()

    def post(_: int) -> None:
        answers.append(ana.rest.post(path, json={"content": "x"}).status_code)
        if len(answers) >= 20:
            enough.set()

    def kill() -> None:
        assert enough.wait(20)
        own_redis.kill()

    began_at = time.monotonic()
    with ThreadPoolExecutor(17) as pool:
        killed = pool.submit(kill)
        list(pool.map(post, range(96)))
        killed.result()
    most = BURST + A_SECOND * (time.monotonic() - began_at)
    assert set(answers) == {201, 429}
    assert BURST * 0.9 <= answers.count(201) <= most * 1.1
    with rest_client(alone, timeout=60) as guest, ThreadPoolExecutor(16) as pool:
        guesses = list(pool.map(lambda _: guess(guest, cleo), range(16)))
    assert sorted(guesses) == [401] * 5 + [429] * 11
    await _ten_of_sixteen_sockets_stay(ben)


async def _ten_of_sixteen_sockets_stay(who: Newcomer) -> None:
    async with contextlib.AsyncExitStack() as stack:
        opening: list[Any] = [stack.enter_async_context(who.socket()) for _ in range(16)]
        opened = await asyncio.gather(*opening, return_exceptions=True)
        refused = [one for one in opened if isinstance(one, BaseException)]
        assert {one.rcvd.code for one in refused} == {4429}  # type: ignore[attr-defined]
        assert len(opened) - len(refused) == 10
