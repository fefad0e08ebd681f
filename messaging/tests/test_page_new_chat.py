"""Starting a chat in the dialog: by keys alone, and what there is already comes first."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]


def open_dialog(page: Page) -> Locator:
    page.get_by_role("navigation").get_by_role("link", name="New chat").click()
    dialog = page.get_by_role("dialog", name="New chat")
    expect(dialog.get_by_role("combobox", name="To")).to_be_focused()
    return dialog


def pick(page: Page, who: Person) -> None:
    page.keyboard.type(who.username)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"Remove {who.user.display_name}")).to_be_visible()


def test_one_person_makes_a_direct_chat(open_page: Open, alice: Person, bob: Person) -> None:
    page = open_page(alice)
    dialog = open_dialog(page)
    expect(dialog.locator("[data-submit]")).to_be_disabled()
    pick(page, bob)
    expect(dialog.get_by_label("Group name")).to_be_hidden()
    expect(dialog.get_by_role("button", name="Start chat")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Message Bob")).to_be_visible()
    expect(dialog).to_be_hidden()


def test_a_direct_chat_that_exists_is_opened(open_page: Open, alice: Person, bob: Person) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(alice)
    dialog = open_dialog(page)
    pick(page, bob)
    expect(dialog).to_contain_text("You already have a chat")
    expect(dialog.get_by_role("link", name="Open Bob")).to_be_visible()
    dialog.get_by_role("button", name="Open chat").click()
    page.wait_for_url(f"**/c/{chat['id']}")
    assert len(alice.rest.get("/chats").json()["results"]) == 1


def test_several_people_make_a_group_with_their_names(
    open_page: Open, alice: Person, bob: Person, carol: Person
) -> None:
    page = open_page(alice)
    dialog = open_dialog(page)
    pick(page, bob)
    pick(page, carol)
    expect(dialog.get_by_label("Group name")).to_have_attribute("placeholder", "Bob and Carol")
    expect(dialog).to_contain_text("2 people and you")
    dialog.get_by_role("button", name="Create group").click()
    expect(page.get_by_role("heading", name="Bob and Carol").first).to_be_visible()
    (chat,) = alice.rest.get("/chats").json()["results"]
    assert (chat["name"], chat["member_count"]) == ("Bob and Carol", 3)


def test_a_group_that_all_share_comes_first(
    open_page: Open, alice: Person, bob: Person, carol: Person
) -> None:
    alice.group_with(bob, name="Without Carol")
    shared = alice.group_with(bob, carol, name="All of us")
    page = open_page(alice)
    dialog = open_dialog(page)
    pick(page, bob)
    pick(page, carol)
    expect(dialog.locator("[data-shared] a")).to_have_count(1)
    dialog.get_by_role("link", name="Open All of us").click()
    page.wait_for_url(f"**/c/{shared['id']}")
    expect(dialog).to_be_hidden()


def test_keys_alone_pick_and_unpick(open_page: Open, alice: Person, bob: Person) -> None:
    page = open_page(alice)
    dialog = open_dialog(page)
    page.keyboard.type(bob.username[:-1])
    options = dialog.get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(dialog.locator(".to-chip")).to_have_count(1)
    page.keyboard.press("Backspace")
    expect(dialog.locator(".to-chip")).to_have_count(0)
    page.keyboard.type("x")
    page.keyboard.press("Backspace")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="New chat").first).to_be_focused()


def test_enter_of_an_input_method_picks_nobody(open_page: Open, alice: Person, bob: Person) -> None:
    page = open_page(alice)
    dialog = open_dialog(page)
    page.keyboard.type(bob.username)
    expect(dialog.get_by_role("option")).to_have_count(1)
    dialog.get_by_role("combobox").evaluate(
        """field => field.dispatchEvent(new KeyboardEvent(
            "keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))"""
    )
    expect(dialog.locator(".to-chip")).to_have_count(0)


def test_who_is_not_there_is_not_found(open_page: Open, alice: Person) -> None:
    page = open_page(alice)
    dialog = open_dialog(page)
    page.keyboard.type("nobody-of-that-name")
    expect(dialog).to_contain_text("Nobody found for “nobody-of-that-name”. Try fewer letters.")
    expect(dialog.get_by_role("option")).to_have_count(0)


def test_without_a_script_a_page_does_the_same(open_page: Open, alice: Person, bob: Person) -> None:
    page = open_page(alice, f"/new?q={bob.username}", java_script_enabled=False)
    page.get_by_label("Bob").check()
    page.get_by_role("button", name="Start chat").click()
    expect(page.get_by_role("heading", name="Bob").first).to_be_visible()


def test_chats_are_found_by_who_is_in_them(alice: Person, bob: Person, mallory: Person) -> None:
    both: dict[str, Any] = alice.group_with(bob, mallory)
    alice.group_with(bob)
    found = alice.rest.get(f"/chats?with={bob.id},{mallory.id}").json()["results"]
    assert [chat["id"] for chat in found] == [both["id"]]
    assert len(alice.rest.get(f"/chats?with={bob.id}").json()["results"]) == 2
    assert mallory.rest.get(f"/chats?with={alice.id}").json()["results"][0]["id"] == both["id"]
    error = alice.rest.get("/chats?with=nobody").json()["errors"][0]
    assert (error["code"], error["attr"]) == ("invalid", "with")
