"""A group's settings by plain forms, and one's own in any chat."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chatproject.testing import Person, Server
from chatproject.testing.cast import web_session

Browse = Callable[[Person], httpx.Client]


@pytest.fixture
def browse(server: Server) -> Iterator[Browse]:
    opened: list[httpx.Client] = []

    def signed_in(who: Person) -> httpx.Client:
        cookies = {"sessionid": web_session(who)}
        opened.append(
            httpx.Client(base_url=server.url, cookies=cookies, follow_redirects=True, timeout=30)
        )
        return opened[-1]

    yield signed_in
    for client in opened:
        client.close()


def submit(browser: httpx.Client, chat: dict[str, Any], **fields: str) -> httpx.Response:
    path = f"/c/{chat['id']}/settings"
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(path).text)
    assert found
    return browser.post(path, data={"csrfmiddlewaretoken": found[1], **fields})


def own(who: Person, chat: dict[str, Any]) -> dict[str, Any]:
    me: dict[str, Any] = who.rest.get(f"/chats/{chat['id']}").json()["me"]
    return me


def hours_from_now(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)) / timedelta(hours=1)


def test_what_one_wants_of_a_chat_is_kept_for_oneself(
    browse: Browse, alice: Person, bob: Person, group: dict[str, Any]
):
    browser, before = browse(bob), own(alice, group)
    answer = submit(browser, group, action="own", notify="mentions", pinned="on", muted="8")
    assert "Saved" in answer.text
    me = own(bob, group)
    assert (me["notify"], me["pinned"]) == ("mentions", True)
    assert hours_from_now(me["muted_until"]) == pytest.approx(8, abs=0.1)
    assert own(alice, group) == before

    answer = submit(browser, group, action="own", notify="none", muted="keep")
    assert "Muted until" in answer.text
    assert own(bob, group) == {**me, "notify": "none", "pinned": False}
    submit(browser, group, action="own", notify="all", muted="always")
    assert own(bob, group)["muted_until"].startswith("9999")
    submit(browser, group, action="own", notify="all", muted="off")
    assert own(bob, group)["muted_until"] is None


@pytest.mark.parametrize("fields", [{}, {"notify": "loud", "muted": "1"}, {"notify": "all"}])
def test_what_is_no_choice_changes_nothing(
    browse: Browse, bob: Person, group: dict[str, Any], fields: dict[str, str]
):
    before = own(bob, group)
    answer = submit(browse(bob), group, action="own", pinned="on", **fields)
    assert (answer.status_code, own(bob, group)) == (200, before)
    assert "Not saved" in answer.text


def test_a_direct_chat_has_settings_of_ones_own_alone(browse: Browse, alice: Person, bob: Person):
    chat = alice.direct_chat_with(bob)
    browser = browse(alice)
    page = browser.get(f"/c/{chat['id']}/settings").text
    assert "Notify me of" in page
    for button in ("leave", "delete", "save", "remove", "add"):
        assert f'name="action" value="{button}"' not in page
    submit(browser, chat, action="own", notify="none", muted="off")
    assert own(alice, chat)["notify"] == "none"


def test_a_member_reads_and_is_told_who_may_change(
    browse: Browse, bob: Person, mallory: Person, group: dict[str, Any]
):
    page = browse(bob).get(f"/c/{group['id']}/settings").text
    assert "Owners and admins can change this group" in page
    assert 'name="action" value="leave"' in page
    for button in ("delete", "save", "remove", "add", "role"):
        assert f'name="action" value="{button}"' not in page
    answer = submit(browse(bob), group, action="save", name="Mine", topic="")
    assert "Only an owner or an admin may do that." in answer.text
    assert browse(mallory).get(f"/c/{group['id']}/settings").status_code == 404


def test_the_last_owner_is_told_who_follows_and_it_comes_true(
    browse: Browse, alice: Person, bob: Person, carol: Person
):
    chat = alice.group_with(bob, carol)
    browser = browse(alice)
    path = f"/c/{chat['id']}/settings"
    assert "Bob becomes the owner" in browser.get(path).text
    alice.rest.patch(f"/chats/{chat['id']}/members/{carol.id}", json={"role": "admin"})
    assert "Carol becomes the owner" in browser.get(path).text
    submit(browser, chat, action="leave", is_sure="yes")
    assert own(carol, chat)["role"] == "owner"
    alone = alice.group_with()
    page = browser.get(f"/c/{alone['id']}/settings").text
    assert "the group and its messages are deleted" in page


def test_leaving_and_deleting_are_done_once_one_is_sure(
    browse: Browse, alice: Person, bob: Person, group: dict[str, Any]
):
    browser, path = browse(alice), f"/chats/{group['id']}"
    asked = submit(browser, group, action="leave").text
    assert "Leave Regatta weekend?" in asked
    assert "Bob becomes the owner. Somebody has to add you to come back." in asked
    asked = submit(browser, group, action="delete").text
    assert "Delete Regatta weekend?" in asked
    assert "All its messages go, for everybody." in asked
    assert alice.rest.get(path).json()["member_count"] == 2
    submit(browser, group, action="delete", is_sure="yes")
    assert alice.rest.get(path).status_code == 404
    alone = alice.group_with()
    asked = submit(browser, alone, action="leave").text
    assert "You are the only one here: the group and its messages are deleted." in asked


def test_who_may_not_delete_may_not_when_sure(
    browse: Browse, bob: Person, mallory: Person, group: dict[str, Any]
):
    answer = submit(browse(bob), group, action="delete", is_sure="yes")
    assert "Only an owner may do that." in answer.text
    assert bob.rest.get(f"/chats/{group['id']}").status_code == 200


def test_one_of_two_owners_is_told_of_no_heir(
    browse: Browse, alice: Person, bob: Person, group: dict[str, Any]
):
    alice.rest.patch(f"/chats/{group['id']}/members/{bob.id}", json={"role": "owner"})
    assert "becomes the owner" not in browse(alice).get(f"/c/{group['id']}/settings").text
