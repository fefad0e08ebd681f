"""The details of a chat: its members, the card of a person, the drawer over a narrower page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from chatproject.testing import Person, expect_error
from chats import actions

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]

MEDIUM = {"viewport": {"width": 1000, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 800}}


def details(page: Page) -> Locator:
    return page.locator("[data-details]")


def card(page: Page) -> Locator:
    return page.get_by_role("dialog").filter(has=page.locator("#card-name"))


def test_members_stand_by_presence_with_their_roles(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    names = details(page).locator(".member-group")
    expect(names).to_have_text(["Online · 1", "Offline · 1"])
    expect(page.locator(f".member[data-user-id='{alice.id}']")).to_contain_text("Owner")
    open_page(bob)
    expect(names).to_have_text(["Online · 2"])


def _crowd(alice: Person, count: int) -> dict[str, Any]:
    names = [f"{alice.username[-12:]}-{number}" for number in range(count)]
    people = User.objects.bulk_create(
        User(username=name, email=f"{name}@example.org", display_name=f"Person {number:02}")
        for number, name in enumerate(names)
    )
    chat = actions.create_group(actor=alice.user, name="Crowd", members=people)
    return {"id": str(chat.id)}


def test_of_a_large_group_everybody_is_found_when_looked_for(
    open_page: Open, alice: Person
) -> None:
    crowd = _crowd(alice, 450)
    page = open_page(alice, f"/c/{crowd['id']}")
    state = page.locator("[data-chat-state]")
    expect(state).to_have_text("451 members")
    field = page.locator("[data-composer] textarea")
    field.press_sequentially("@Person 4")
    expect(page.get_by_role("option")).to_have_count(0)
    field.fill("")
    field.press_sequentially(f"@{alice.username[-12:]}-449")
    expect(page.get_by_role("option")).to_contain_text(["Person 449"])
    expect(state).to_have_text("451 members")
    page.reload()
    page.locator("[data-does=panel]").first.click()
    page.locator("[data-does=panel]").first.click()
    page.get_by_role("searchbox", name="Find a member").fill("person 44")
    expect(page.locator(".member")).to_have_count(11)
    page.get_by_role("searchbox", name="Find a member").fill("")
    page.get_by_role("button", name="Show all 451").click()
    expect(page.locator(".member")).to_have_count(451)


def test_many_members_are_cut_short_and_found_by_letters(open_page: Open, alice: Person) -> None:
    crowd = _crowd(alice, 30)
    page = open_page(alice, f"/c/{crowd['id']}")
    expect(page.locator(".member").first).to_be_visible()
    page.locator("[data-does=panel]").first.click()
    page.locator("[data-does=panel]").first.click()
    expect(page.locator(".member")).to_have_count(12)
    search = page.get_by_role("searchbox", name="Find a member")
    search.fill("son 2")
    expect(page.locator(".member")).to_have_count(10)
    search.fill("nobody at all")
    expect(details(page)).to_contain_text("Nobody found.")
    search.fill("")
    page.get_by_role("button", name="Show all 31").click()
    expect(page.locator(".member")).to_have_count(31)
    expect(page.locator(".member-link").nth(12)).to_be_focused()


def test_a_card_says_who_it_is_and_leads_to_the_direct_chat(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    link = details(page).get_by_role("link", name="Bob")
    link.focus()
    page.keyboard.press("Enter")
    expect(card(page)).to_contain_text(f"@{bob.username}")
    expect(card(page)).to_contain_text("Groups you share")
    expect(card(page).get_by_role("link", name="Regatta weekend")).to_be_visible()
    page.keyboard.press("Escape")
    expect(card(page)).to_be_hidden()
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    card(page).get_by_role("button", name="Message").click(no_wait_after=True)
    expect(page.get_by_role("textbox", name="Message Bob")).to_be_visible()
    chats = alice.rest.get("/chats").json()["results"]
    assert [chat["peer"]["id"] for chat in chats if chat["peer"]] == [bob.id]


def test_the_card_of_who_is_gone_says_so(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    bob.says(group, "I leave")
    bob.rest.delete(f"/chats/{group['id']}/members/{bob.id}").raise_for_status()
    page = open_page(alice, f"/c/{group['id']}")
    page.route(f"**/users/{bob.id}", lambda route: route.fulfill(status=404, json={}))
    page.locator(".message-name", has_text="Bob").click()
    expect(card(page)).to_contain_text("Deactivated account")
    expect(card(page).get_by_role("button", name="Message")).to_have_count(0)
    expect_error(page, "status of 404")


def test_on_a_phone_the_card_is_a_sheet(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    bob.says(group, "Hello")
    page = open_page(alice, f"/c/{group['id']}", **PHONE)
    page.locator(".message-name", has_text="Bob").click()
    expect(card(page)).to_be_visible()
    box = card(page).bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["y"] + box["height"]) == (0, 390, 800)


def test_a_direct_chat_says_when_the_other_was_last_there(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    User.objects.filter(id=bob.id).update(last_seen="2026-03-01T14:05:00Z")
    zone = {"timezone_id": "UTC", "locale": "en-GB"}
    page = open_page(alice, f"/c/{chat['id']}", **zone)
    state = page.locator("[data-chat-state]")
    expect(state).to_have_text(re.compile(r"Last seen 1 March( 2026)? 14:05"))
    plain = open_page(alice, f"/c/{chat['id']}", java_script_enabled=False, **zone)
    expect(plain.locator("[data-chat-state]")).to_have_text(re.compile("Last seen 1 March"))
    his = open_page(bob)
    expect(state).to_have_text("Online")
    his.close()


def test_over_a_narrower_page_the_details_keep_the_focus_until_closed(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}", **MEDIUM)
    opener = page.locator(".conversation [data-does=panel]")
    opener.click()
    drawer = page.get_by_role("dialog", name="Details")
    expect(drawer).to_be_visible()
    expect(drawer.get_by_role("button", name="Close details")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        inside = "!document.activeElement.closest('.conversation, .sidebar')"
        assert page.evaluate(inside)
    page.keyboard.press("Escape")
    expect(details(page)).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    expect(drawer).to_be_visible()
    page.mouse.click(300, 400)
    expect(details(page)).to_be_hidden()
    expect(page.get_by_role("textbox", name="Message Regatta weekend")).to_be_enabled()


def test_who_is_there_is_told_only_while_one_is_connected(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    state, names = page.locator("[data-chat-state]"), details(page).locator(".member-group")
    own = page.locator(f".sidebar-footer [data-presence='{alice.id}']")
    expect(own).to_have_class(re.compile("is-online"))
    expect(names.first).to_have_text("Online · 1")
    assert state.inner_text() == "2 members · 1 online"
    page.context.set_offline(True)
    expect(names.first).to_be_hidden(timeout=20_000)
    expect(own).to_be_hidden()
    assert state.inner_text() == "2 members"
    expect_error(page, "ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(False)


def test_a_chat_without_messages_shows_the_face_of_whom_it_is_with(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(alice, f"/c/{chat['id']}")
    face, header = (
        page.locator(f"{part} .avatar-text") for part in ("[data-empty]", "main header")
    )
    expect(face).to_have_text(header.inner_text())
    expect(page.locator("[data-empty]")).to_contain_text(f"Say hello to {bob.user.display_name}.")
