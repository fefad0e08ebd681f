"""Signing in by name and password, by token and by the page's cookie; changing the password."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jwt
import pytest

from accounts.actions import start_sign_in
from accounts.models import SignIn, User
from chatproject.errors import SignInFailed
from chatproject.testing import PASSWORD, Person, Server, error_of, rest_client
from chatproject.testing.cast import web_session

NEW_PASSWORD = "battery staple 7"


def login(anybody: httpx.Client, username: Any, password: Any = PASSWORD) -> httpx.Response:
    return anybody.post("/auth/login", json={"username": username, "password": password})


@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.title, lambda name: f" {name} "])
@pytest.mark.parametrize("field", ["username", "email"])
def test_name_or_address_and_password_sign_in(
    anybody: httpx.Client, alice: Person, field: str, change: Callable[[str], str]
):
    answer = login(anybody, change(getattr(alice.user, field)))
    assert answer.status_code == 200
    assert answer.json()["user"]["id"] == alice.id
    assert answer.json()["user"]["email"] == alice.user.email
    headers = {"Authorization": f"Bearer {answer.json()['access']}"}
    assert anybody.get("/users/me", headers=headers).status_code == 200


def test_a_wrong_password_and_nobody_by_that_name_get_the_same_answer(
    anybody: httpx.Client, alice: Person, bob: Person
):
    User.objects.filter(id=bob.id).update(is_active=False)
    answers = [
        login(anybody, alice.username, "wrong horse 9"),
        login(anybody, "nobody-at-all"),
        login(anybody, "nobody@example.org"),
        login(anybody, bob.username),
        login(anybody, alice.username, PASSWORD.upper()),
        login(anybody, alice.username, f" {PASSWORD}"),
    ]
    assert {error_of(answer, 401)["code"] for answer in answers} == {"invalid_credentials"}
    assert len({answer.content for answer in answers}) == 1


# The access token


def test_an_access_token_holds_for_at_most_an_hour(alice: Person):
    claims = jwt.decode(alice.access, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] <= 3600


def test_a_sign_in_that_has_expired_opens_nothing(alice: Person):
    assert alice.rest.get("/users/me").status_code == 200
    SignIn.objects.filter(id=alice.sign_in.id).update(expires_at=alice.sign_in.created_at)
    error_of(alice.rest.get("/users/me"), 401)


def test_who_is_deactivated_is_out_at_once(alice: Person):
    assert alice.rest.get("/users/me").status_code == 200
    User.objects.filter(id=alice.id).update(is_active=False)
    error_of(alice.rest.get("/users/me"), 401)


# The page's cookie


@pytest.fixture
def page(server: Server, alice: Person) -> Iterator[httpx.Client]:
    """A browser's client on which Alice is signed in."""
    cookies = {"sessionid": web_session(alice), "csrftoken": "c" * 32}
    with rest_client(server, cookies=cookies) as client:
        yield client


def test_the_cookie_reads_and_writes_with_its_csrf_header(page: httpx.Client, alice: Person):
    assert page.get("/users/me").json()["id"] == alice.id
    body = {"display_name": "Alice of the page"}
    answer = page.patch("/users/me", json=body, headers={"X-CSRFToken": "c" * 32})
    assert answer.json()["display_name"] == "Alice of the page"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRFToken": ""},
        {"X-CSRFToken": "d" * 32},
        {"X-CSRFToken": "short"},
        {"X-CSRFToken": "c" * 32, "Origin": "https://evil.example"},
        {"X-CSRFToken": "c" * 32, "Origin": "null"},
    ],
)
def test_the_cookie_without_it_writes_nothing(
    page: httpx.Client, alice: Person, headers: dict[str, str]
):
    answer = page.patch("/users/me", json={"display_name": "Mallory's"}, headers=headers)
    assert error_of(answer, 403)["code"] == "permission_denied"
    assert page.get("/users/me").json()["display_name"] == "Alice"


def test_the_cookie_ends_with_its_sign_in(page: httpx.Client, alice: Person):
    assert page.get("/users/me").status_code == 200
    SignIn.objects.filter(user=alice.user, kind="web").update(ended_at=alice.sign_in.created_at)
    error_of(page.get("/users/me"), 401)


# The password


def test_a_new_password_takes_the_place_of_the_old(anybody: httpx.Client, alice: Person):
    answer = change_password(alice)
    assert (answer.status_code, answer.content) == (204, b"")
    error_of(login(anybody, alice.username), 401)
    assert login(anybody, alice.username, NEW_PASSWORD).status_code == 200


def change_password(who: Person, old: Any = PASSWORD, new: Any = NEW_PASSWORD) -> httpx.Response:
    return who.rest.post("/auth/password", json={"old_password": old, "new_password": new})


async def test_a_new_password_ends_every_other_session_and_its_sockets(
    anybody: httpx.Client, alice: Person, page: httpx.Client
):
    other = login(anybody, alice.username).json()
    headers = {"Authorization": f"Bearer {other['access']}"}
    async with alice.socket() as own, alice.socket(additional_headers=headers) as others:
        assert page.get("/users/me").status_code == 200
        assert change_password(alice).status_code == 204
        assert await others.close_code(timeout=10) == 4401
        assert (await own.ask("ping"))["type"] == "ok"
    error_of(anybody.get("/users/me", headers=headers), 401)
    error_of(anybody.post("/auth/refresh", json={"refresh": other["refresh"]}), 401)
    error_of(page.get("/users/me"), 401)
    assert alice.rest.get("/users/me").status_code == 200


def test_a_password_that_was_changed_since_it_was_checked_opens_nothing(alice: Person):
    checked = User.objects.get(id=alice.user.id)
    assert change_password(alice).status_code == 204
    with pytest.raises(SignInFailed):
        start_sign_in(user=checked, kind="token")
    now = User.objects.get(id=alice.user.id)
    assert start_sign_in(user=now, kind="token")
