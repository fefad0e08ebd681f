"""The command palette: going to chats and people, and commands."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person, expect_error

pytestmark = pytest.mark.embedded


def palette(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Search or jump to")


def search(page: Page) -> Locator:
    return palette(page).get_by_role("combobox", name="Search or jump to")


def options(page: Page) -> Locator:
    return palette(page).get_by_role("option")


def chosen(page: Page) -> Locator:
    return palette(page).locator("[aria-selected=true]")


def open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(search(page)).to_be_focused()


def run(page: Page, command: str) -> None:
    open_palette(page)
    search(page).fill(f">{command}")
    search(page).press("Enter")


def test_the_palette_begins_with_the_latest_chats(
    open_page: Any, alice: Person, bob: Person, carol: Person
) -> None:
    older, newer = alice.direct_chat_with(bob), alice.group_with(carol, name="Boathouse keys")
    here = alice.group_with(name="Here")
    for chat in (older, newer, here):
        alice.says(chat, "hello")
    page = open_page(alice, f"/c/{here['id']}")
    open_palette(page)
    names = options(page).locator(".palette-name")
    expect(names).to_have_text(["Boathouse keys", "Bob"])
    search(page).press("ArrowUp")
    expect(chosen(page)).to_contain_text("Bob")
    search(page).press("ArrowDown")
    expect(chosen(page)).to_contain_text("Boathouse keys")
    search(page).press("Enter")
    expect(page).to_have_url(re.compile(newer["id"]))
    expect(palette(page)).to_be_hidden()


def test_letters_find_chats_people_and_commands(open_page: Any, alice: Person, person: Any) -> None:
    eve = person("eve", display_name="Ève Zettl")
    alice.group_with(name="Zettelkasten")
    page = open_page(alice)
    open_palette(page)
    search(page).fill("zett")
    group = palette(page).get_by_role("group", name="People")
    expect(group.get_by_role("option")).to_contain_text(f"@{eve.username}")
    expect(palette(page).get_by_role("group", name="Chats")).to_contain_text("Zettelkasten")
    expect(palette(page).locator("mark").first).to_have_text("Zett")
    search(page).fill("ève zettl")
    expect(options(page)).to_have_count(1)
    search(page).press("Enter")
    expect(page.get_by_role("heading", name="Ève Zettl").first).to_be_visible()
    chats = alice.rest.get("/chats").json()["results"]
    assert [chat["peer"]["id"] for chat in chats if chat["peer"]] == [eve.id]


def test_somebody_one_talks_to_is_found_once(open_page: Any, alice: Person, person: Any) -> None:
    eve = person("eve", display_name="Quirin Quást")
    alice.direct_chat_with(eve)
    page = open_page(alice)
    open_palette(page)
    with page.expect_response(re.compile("/users")):
        search(page).fill("quast")
    expect(options(page)).to_have_count(1)
    expect(palette(page).get_by_role("group", name="Chats")).to_contain_text("Quirin Quást")


def test_a_theme_is_kept_with_the_account(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    run(page, "theme dark")
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    search(page).fill(">dark")
    search(page).press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert alice.rest.get("/users/me").json()["settings"]["theme"] == "dark"
    run(page, "like the system")
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_commands_start_a_chat_show_the_keys_and_log_out(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    open_palette(page)
    search(page).fill(">")
    expect(palette(page).get_by_role("group")).to_have_count(1)
    expect(options(page).first).to_contain_text("New chat")
    expect(options(page).last).to_contain_text("Log out")
    assert page.evaluate(
        """[...document.querySelectorAll('.palette use')]
            .every((use) => document.querySelector(use.getAttribute('href')))"""
    )
    search(page).press("Escape")
    run(page, "new chat")
    expect(page.get_by_role("dialog", name="New chat")).to_be_visible()
    page.keyboard.press("Escape")
    run(page, "keyboard")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    run(page, "group settings")
    expect(page).to_have_url(re.compile(f"{group['id']}/settings"))
    page.goto(f"/c/{group['id']}")
    run(page, "log out")
    expect(page).to_have_url(re.compile("/login"))


def test_the_palette_says_when_nothing_is_found(open_page: Any, alice: Person) -> None:
    page = open_page(alice)
    open_palette(page)
    search(page).fill("qqxxqq")
    note = palette(page).get_by_role("status")
    expect(note).to_have_text("Nothing found for “qqxxqq”. Try fewer letters.")


def test_without_a_connection_the_chats_of_the_device_are_found(
    open_page: Any, alice: Person, bob: Person
) -> None:
    alice.direct_chat_with(bob)
    page = open_page(alice)
    open_palette(page)
    search(page).fill("bo")
    expect(options(page).first).to_contain_text("Bob")
    page.context.set_offline(True)
    search(page).fill("bob")
    note = palette(page).get_by_role("status")
    expect(note).to_have_text("You're offline. Only the chats on this device can be found.")
    expect(options(page).first).to_contain_text("Bob")
    page.context.close()
    expect_error(page, "ERR_INTERNET_DISCONNECTED")


def test_an_input_method_keeps_enter_and_arrows(open_page: Any, alice: Person, bob: Person) -> None:
    alice.direct_chat_with(bob)
    page = open_page(alice)
    open_palette(page)
    search(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    search(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229, "bubbles": True})
    expect(palette(page)).to_be_visible()
    search(page).press("Enter")
    expect(palette(page)).to_be_hidden()


@pytest.mark.parametrize("key", ["Escape", "Control+k"])
def test_the_palette_gives_the_focus_back(
    open_page: Any, alice: Person, group: dict[str, Any], key: str
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field = page.locator("[data-composer] textarea")
    field.fill("half a sen")
    open_palette(page)
    page.keyboard.press(key)
    expect(palette(page)).to_be_hidden()
    expect(field).to_be_focused()
    expect(field).to_have_value("half a sen")
