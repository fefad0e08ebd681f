"""One's own account: what it shows and what one can change of it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from chatproject.testing import Person, error_of


def me(who: Person) -> dict[str, Any]:
    document: dict[str, Any] = who.rest.get("/users/me").json()
    return document


def test_ones_own_account_shows_more_than_others_see(alice: Person, bob: Person):
    own = me(alice)
    assert own["email"] == alice.user.email
    assert own["settings"] == {}
    seen = bob.rest.get(f"/users/{alice.id}").json()
    assert own.keys() - seen.keys() == {"email", "settings"}
    assert seen.keys() == {
        *("id", "username", "display_name", "avatar_url", "is_bot", "is_online"),
        *("last_seen", "created_at"),
    }
    assert "password" not in str(own)


def test_times_have_six_digits_and_a_z(alice: Person):
    assert me(alice)["created_at"].endswith("Z")
    assert len(me(alice)["created_at"]) == len("2026-11-22T09:30:00.000000Z")


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "Alice the Second"},
        {"display_name": "A" * 64},
        {"display_name": "أليس 👩‍🚀"},
        {"settings": {"theme": "dark", "nested": {"list": [1, None, True, "x"]}}},
        {"settings": {}},
        {"settings": {"x": "y" * 4080}},
    ],
)
def test_what_is_given_changes_and_nothing_else(alice: Person, change: dict[str, Any]):
    before = me(alice)
    answer = alice.rest.patch("/users/me", json=change)
    assert answer.status_code == 200
    assert answer.json() == {**before, **change}
    assert me(alice) == {**before, **change}


def test_a_new_address_signs_in(alice: Person, anybody: httpx.Client):
    from chatproject.testing import PASSWORD

    email = f"new-{alice.username}@example.org"
    assert alice.rest.patch("/users/me", json={"email": email}).json()["email"] == email
    body = {"username": email.upper(), "password": PASSWORD}
    assert anybody.post("/auth/login", json=body).status_code == 200
    body["username"] = alice.user.email
    error_of(anybody.post("/auth/login", json=body), 401)


def test_what_one_may_not_change_is_ignored(alice: Person):
    before = me(alice)
    more = {"id": "7", "username": "root", "is_staff": True, "is_bot": True, "is_online": True}
    assert alice.rest.patch("/users/me", json=more).json() == before
    alice.user.refresh_from_db()
    assert (alice.user.is_staff, alice.user.is_superuser) == (False, False)


def test_an_address_of_somebody_else_is_taken_whatever_its_case(alice: Person, bob: Person):
    before = me(alice)
    answer = alice.rest.patch("/users/me", json={"email": bob.user.email.upper()})
    assert (error_of(answer, 400)["attr"], error_of(answer, 400)["code"]) == ("email", "unique")
    assert me(alice) == before


def test_ones_own_address_in_another_case_is_free(alice: Person):
    email = alice.user.email.upper()
    assert alice.rest.patch("/users/me", json={"email": email}).json()["email"] == email


def test_of_eight_who_want_one_address_at_once_one_gets_it(person: Any):
    people = [person(f"p{number}") for number in range(8)]
    body = {"email": f"wanted-{people[0].username}@example.org"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: one.rest.patch("/users/me", json=body), people))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


def test_two_devices_that_change_different_things_both_succeed(alice: Person):
    changes = [{"display_name": "Both"}, {"settings": {"a": 1}}] * 8
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda body: alice.rest.patch("/users/me", json=body), changes))
    assert (me(alice)["display_name"], me(alice)["settings"]) == ("Both", {"a": 1})


async def test_a_new_display_name_is_told_to_all_who_share_a_chat(
    alice: Person, bob: Person, mallory: Person, group: dict[str, Any]
):
    async with alice.socket() as own, bob.socket() as other, mallory.socket() as stranger:
        alice.rest.patch("/users/me", json={"display_name": "Queen Alice"})
        for socket in (own, other):
            event = await socket.event("user.updated")
            assert event["user"]["display_name"] == "Queen Alice"
            assert "email" not in event["user"]
        await stranger.settle()
        assert stranger.of_type("user.updated") == []


async def test_the_same_again_tells_nobody(alice: Person, bob: Person, group: dict[str, Any]):
    async with bob.socket() as other:
        for name in ("Alice", "Alice", "Other"):
            alice.rest.patch("/users/me", json={"display_name": name})
        assert (await other.event("user.updated"))["user"]["display_name"] == "Other"
        await other.settle()
        assert len(other.of_type("user.updated")) == 1
