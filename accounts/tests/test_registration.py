"""Making an account."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from rest_framework.test import APIClient

from accounts.models import User
from chatproject.testing import PASSWORD, Person, error_of

_numbers = itertools.count(1)


def newcomer(**facts: Any) -> dict[str, Any]:
    """A body that registers somebody new."""
    username = f"nora{next(_numbers)}-{os.getpid()}"
    facts = {"username": username, "email": f"{username}@example.org"} | facts
    return {"password": PASSWORD, **facts}


def registered(anybody: httpx.Client, **facts: Any) -> dict[str, Any]:
    answer = anybody.post("/auth/register", json=newcomer(**facts))
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_a_newcomer_gets_an_account_and_is_signed_in(anybody: httpx.Client):
    body = newcomer(display_name=" Dora Núñez ")
    answer = anybody.post("/auth/register", json=body)
    assert answer.status_code == 201
    user = answer.json()["user"]
    assert user["username"] == body["username"]
    assert user["email"] == body["email"]
    assert user["display_name"] == "Dora Núñez"
    assert user["settings"] == {}
    assert (user["is_bot"], user["avatar_url"]) == (False, None)
    headers = {"Authorization": f"Bearer {answer.json()['access']}"}
    assert anybody.get("/users/me", headers=headers).json()["id"] == user["id"]
    assert PASSWORD not in answer.text


def test_the_display_name_is_the_username_unless_told(anybody: httpx.Client):
    user = registered(anybody)["user"]
    assert user["display_name"] == user["username"]


def test_nobody_registers_as_more_than_a_person(anybody: httpx.Client):
    more = {"is_staff": True, "is_superuser": True, "is_bot": True, "id": "7", "unknown": 1}
    user = User.objects.get(id=registered(anybody, **more)["user"]["id"])
    assert (user.is_staff, user.is_superuser, user.is_bot) == (False, False, False)


@pytest.mark.parametrize("username", ["ab", "A" * 16, "0_.-", "-" * 3])
def test_usernames_of_the_allowed_characters(anybody: httpx.Client, username: str):
    taken = f"{username}{next(_numbers)}{os.getpid()}"[:32]
    assert registered(anybody, username=taken)["user"]["username"] == taken


@pytest.mark.parametrize("length", [8, 128])
def test_passwords_of_eight_to_128_characters(anybody: httpx.Client, length: int):
    registered(anybody, password=("ß9 trombone xq" * 10)[:length])


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
@pytest.mark.parametrize("field", ["username", "email"])
def test_a_name_or_an_address_is_taken_whatever_its_case(
    anybody: httpx.Client, field: str, change: Any
):
    taken = registered(anybody)["user"][field]
    body = newcomer(**{field: change(taken)})
    error = error_of(anybody.post("/auth/register", json=body), 400)
    assert (error["attr"], error["code"]) == (field, "unique")


def test_twelve_who_want_one_name_at_once_make_one_account(anybody: httpx.Client):
    bodies = [newcomer(username=f"Emil-{os.getpid()}") for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda body: anybody.post("/auth/register", json=body), bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [400] * 11
    for answer in answers:
        if answer.status_code == 400:
            assert error_of(answer, 400)["attr"] == "username"


def test_where_registration_is_closed_nobody_gets_in(installation: None, settings: Any):
    open_door = APIClient().post("/auth/register", newcomer(), format="json")
    assert open_door.status_code == 201
    settings.REGISTRATION_OPEN = False
    body = newcomer()
    answer = APIClient().post("/auth/register", body, format="json")
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "permission_denied"
    assert not User.objects.filter(username=body["username"]).exists()


def test_registering_is_for_those_who_are_signed_in_too(alice: Person):
    assert alice.rest.post("/auth/register", json=newcomer()).status_code == 201
