"""Renewing a sign-in by its refresh token, and ending it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from accounts.models import SignIn
from accounts.tokens import access_token
from chatproject.testing import Person, error_of


def refresh(anybody: httpx.Client, token: Any) -> httpx.Response:
    return anybody.post("/auth/refresh", json={"refresh": token})


def logout(anybody: httpx.Client, token: Any) -> httpx.Response:
    return anybody.post("/auth/logout", json={"refresh": token})


def opens_doors(anybody: httpx.Client, access: str) -> bool:
    answer = anybody.get("/users/me", headers={"Authorization": f"Bearer {access}"})
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def let_pass(who: Person, seconds: int) -> None:
    """As if all exchanges were so long ago."""
    sign_in = SignIn.objects.get(id=who.sign_in.id)
    sign_in.exchanges = {number: at - seconds for number, at in sign_in.exchanges.items()}
    sign_in.save()


def test_a_good_access_token_opens_nothing_once_it_has_expired(
    anybody: httpx.Client, alice: Person
):
    access = access_token(alice.sign_in, timedelta(seconds=2))
    assert opens_doors(anybody, access)
    time.sleep(2)
    assert not opens_doors(anybody, access)


def test_a_refresh_token_is_exchanged_for_new_tokens(anybody: httpx.Client, alice: Person):
    answer = refresh(anybody, alice.refresh)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access", "refresh"}
    assert opens_doors(anybody, answer.json()["access"])
    assert refresh(anybody, answer.json()["refresh"]).status_code == 200


def test_the_access_token_of_before_goes_on(anybody: httpx.Client, alice: Person):
    refresh(anybody, alice.refresh)
    assert opens_doors(anybody, alice.access)


def test_a_spent_token_within_30_seconds_is_401_and_no_more(anybody: httpx.Client, alice: Person):
    new = refresh(anybody, alice.refresh).json()
    let_pass(alice, 25)
    assert error_of(refresh(anybody, alice.refresh), 401)["code"] == "not_authenticated"
    assert opens_doors(anybody, new["access"])
    assert refresh(anybody, new["refresh"]).status_code == 200


def test_of_two_exchanges_at_once_neither_token_ends_anything(anybody: httpx.Client, alice: Person):
    first = refresh(anybody, alice.refresh).json()
    second = refresh(anybody, first["refresh"]).json()
    for spent in (alice.refresh, first["refresh"]):
        error_of(refresh(anybody, spent), 401)
    assert opens_doors(anybody, second["access"])
    let_pass(alice, 31)
    third = refresh(anybody, second["refresh"]).json()
    error_of(refresh(anybody, alice.refresh), 401)
    assert not opens_doors(anybody, third["access"])


async def test_a_spent_token_after_30_seconds_ends_the_session(
    anybody: httpx.Client, alice: Person
):
    new = refresh(anybody, alice.refresh).json()
    let_pass(alice, 31)
    async with alice.socket() as socket:
        assert opens_doors(anybody, new["access"])
        error_of(refresh(anybody, alice.refresh), 401)
        assert await socket.close_code(timeout=10) == 4401
    assert not opens_doors(anybody, new["access"])
    error_of(refresh(anybody, new["refresh"]), 401)


def test_sixteen_who_exchange_one_token_at_once_get_one_pair(anybody: httpx.Client, alice: Person):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: refresh(anybody, alice.refresh), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 15
    assert opens_doors(anybody, alice.access)


def test_of_two_sessions_one_is_renewed(anybody: httpx.Client, alice: Person):
    from accounts.actions import start_sign_in
    from accounts.tokens import refresh_token

    other = refresh_token(start_sign_in(user=alice.user, kind="token"))
    refresh(anybody, alice.refresh)
    assert refresh(anybody, other).status_code == 200


def test_a_forged_token_renews_and_ends_nothing(anybody: httpx.Client, alice: Person):
    claims = jwt.decode(alice.refresh, options={"verify_signature": False})
    forged = jwt.encode({**claims, "number": 7}, "x" * 64, "HS256")
    error_of(refresh(anybody, forged), 401)
    assert logout(anybody, forged).status_code == 204
    assert opens_doors(anybody, alice.access)


# Signing out


async def test_signing_out_ends_the_session_and_its_sockets(anybody: httpx.Client, alice: Person):
    async with alice.socket() as socket:
        assert opens_doors(anybody, alice.access)
        answer = logout(anybody, alice.refresh)
        assert (answer.status_code, answer.content) == (204, b"")
        assert await socket.close_code(timeout=10) == 4401
    assert not opens_doors(anybody, alice.access)
    error_of(refresh(anybody, alice.refresh), 401)


def test_a_spent_token_signs_out_too(anybody: httpx.Client, alice: Person):
    new = refresh(anybody, alice.refresh).json()
    assert logout(anybody, alice.refresh).status_code == 204
    assert not opens_doors(anybody, new["access"])
    error_of(refresh(anybody, new["refresh"]), 401)


def test_signing_out_again_is_harmless(anybody: httpx.Client, alice: Person):
    assert [logout(anybody, alice.refresh).status_code for _ in range(3)] == [204] * 3


@pytest.mark.parametrize(
    "token", ["nonsense", "a.b.c", "é", "{}", "", " ", "x" * 100_000, "a\x00b", "\u200b"]
)
def test_any_text_signs_out_without_a_word(anybody: httpx.Client, alice: Person, token: str):
    answer = logout(anybody, token)
    assert (answer.status_code, answer.content) == (204, b"")
    assert opens_doors(anybody, alice.access)


def test_signing_out_on_one_device_leaves_the_others(anybody: httpx.Client, alice: Person):
    from accounts.actions import start_sign_in
    from accounts.tokens import access_token

    other = access_token(start_sign_in(user=alice.user, kind="token"))
    logout(anybody, alice.refresh)
    assert not opens_doors(anybody, alice.access)
    assert opens_doors(anybody, other)
