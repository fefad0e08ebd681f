"""The page by keys alone: shortcuts, the parts of the page, the list of chats."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded


def field(page: Page) -> Locator:
    return page.locator("[data-composer] textarea")


def chat_link(page: Page, chat: dict[str, Any]) -> Locator:
    return page.locator(f'[data-chat-id="{chat["id"]}"] a')


def is_open(page: Page, chat: dict[str, Any]) -> None:
    expect(page).to_have_url(re.compile(chat["id"]))
    expect(chat_link(page, chat)).to_have_attribute("aria-current", "page")


def three_chats(alice: Person) -> list[dict[str, Any]]:
    """As the sidebar lists them."""
    chats = [alice.group_with(name=name) for name in ("Third", "Second", "First")]
    for chat in chats:
        alice.says(chat, "hello")
    return chats[::-1]


def test_alt_and_arrows_open_the_chats_beside(open_page: Any, alice: Person) -> None:
    first, second, third = three_chats(alice)
    page = open_page(alice, f"/c/{first['id']}")
    page.keyboard.press("Alt+ArrowDown")
    is_open(page, second)
    page.keyboard.press("Alt+ArrowDown")
    is_open(page, third)
    page.keyboard.press("Alt+ArrowDown")
    is_open(page, first)
    page.keyboard.press("Alt+ArrowUp")
    is_open(page, third)


def test_with_shift_only_unread_chats_are_opened(
    open_page: Any, alice: Person, bob: Person
) -> None:
    chats = [alice.group_with(bob, name=name) for name in ("Quiet", "Loud", "Here")]
    for chat in chats:
        alice.says(chat, "hello")
    quiet, loud, here = chats
    bob.says(quiet, "unread")
    page = open_page(alice, f"/c/{here['id']}")
    expect(page.locator(".chat-row.is-unread")).to_have_count(1)
    page.keyboard.press("Alt+Shift+ArrowUp")
    is_open(page, quiet)
    expect(page.locator(".chat-row.is-unread")).to_have_count(0)
    page.keyboard.press("Alt+Shift+ArrowUp")
    page.wait_for_timeout(200)
    is_open(page, quiet)
    assert loud["id"] not in page.url


def test_f6_goes_round_the_parts_of_the_page(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}", viewport={"width": 1000, "height": 700})
    timeline = page.get_by_role("region", name="Messages")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Shift+F6")
    expect(timeline).to_be_focused()
    page.keyboard.press("Shift+F6")
    expect(chat_link(page, group)).to_be_focused()
    page.keyboard.press("Shift+F6")
    expect(field(page)).to_be_focused()
    page.keyboard.press("F6")
    expect(chat_link(page, group)).to_be_focused()


def test_the_list_of_chats_is_one_stop_with_arrows_inside(open_page: Any, alice: Person) -> None:
    first, second, third = three_chats(alice)
    page = open_page(alice, f"/c/{second['id']}")
    expect(page.locator(".chat-list a[tabindex='0']")).to_have_count(1)
    page.get_by_role("button", name="Search or jump to").focus()
    page.keyboard.press("Tab")
    expect(chat_link(page, second)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(chat_link(page, third)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(chat_link(page, third)).to_be_focused()
    page.keyboard.press("Home")
    expect(chat_link(page, first)).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.chat-list')") is None
    page.keyboard.press("Shift+Tab")
    expect(chat_link(page, first)).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    is_open(page, third)


def test_a_chat_that_comes_later_joins_the_one_stop(
    open_page: Any, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    later = bob.group_with(alice, name="Later")
    expect(chat_link(page, later)).to_have_attribute("tabindex", "-1")
    expect(page.locator(".chat-list a[tabindex='0']")).to_have_count(1)


def test_what_is_typed_anywhere_goes_to_the_composer(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.type("Hello there")
    expect(field(page)).to_have_value("Hello there")
    page.get_by_role("button", name="Search or jump to").click()
    search = page.get_by_role("combobox", name="Search or jump to")
    expect(search).to_be_focused()
    page.keyboard.type("reg")
    expect(search).to_have_value("reg")
    page.keyboard.press("Escape")
    page.get_by_role("region", name="Messages").focus()
    for keys in ("Control+u", "Alt+x", "Space"):
        page.keyboard.press(keys)
    expect(field(page)).to_have_value("Hello there")


def test_a_focused_message_keeps_its_single_keys(
    open_page: Any, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    bob.says(group, "not hers to edit")
    page = open_page(alice, f"/c/{group['id']}")
    page.wait_for_load_state("networkidle")  # the menu's module comes after the others
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("e")
    expect(page.locator(".message").filter(has_text="not hers")).to_be_focused()
    expect(field(page)).to_have_value("")


def test_escape_does_one_thing_a_press(
    open_page: Any, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    for number in range(60):
        bob.says(group, f"line {number}")
    page = open_page(alice, f"/c/{group['id']}")
    pill, divider = page.locator("[data-to-newest]"), page.locator(".unread-line")
    page.wait_for_load_state("networkidle")
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("r")
    field(page).press_sequentially("@b")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(page.locator("[data-context]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-context]")).to_be_hidden()
    expect(field(page)).to_have_value("@b")
    expect(divider).to_have_count(1)
    if pill.is_visible():
        page.keyboard.press("Escape")
        expect(pill).to_be_hidden()
    page.keyboard.press("Escape")
    expect(divider).to_have_count(0)
    expect(field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Messages")).to_be_focused()


def test_the_sheet_of_shortcuts_opens_and_gives_the_focus_back(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    expect(field(page)).to_be_focused()
    page.keyboard.press("Control+/")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_contain_text("Search or jump to")
    expect(sheet.locator("kbd").first).to_have_text("Ctrl")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(field(page)).to_be_focused()


def test_shortcuts_are_where_they_are_on_any_layout(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    cyrillic = {"key": "л", "code": "KeyK", "ctrlKey": True, "bubbles": True, "cancelable": True}
    field(page).dispatch_event("keydown", cyrillic)
    expect(page.get_by_role("dialog", name="Search or jump to")).to_be_visible()
    page.keyboard.press("Escape")
    dvorak = {"key": "t", "code": "KeyK", "ctrlKey": True, "bubbles": True, "cancelable": True}
    field(page).dispatch_event("keydown", dvorak)
    page.wait_for_timeout(200)
    expect(page.get_by_role("dialog", name="Search or jump to")).to_be_hidden()
    german = {"key": "/", "code": "Digit7", "shiftKey": True, "ctrlKey": True, "bubbles": True}
    field(page).dispatch_event("keydown", german)
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_a_picker_does_not_outlive_its_chat(open_page: Any, alice: Person) -> None:
    first, second, _ = three_chats(alice)
    page = open_page(alice, f"/c/{first['id']}")
    page.get_by_role("button", name="Emoji", exact=True).click()
    picker = page.get_by_role("dialog", name="Pick an emoji")
    expect(picker.get_by_role("gridcell").first).to_be_visible()
    page.keyboard.press("Alt+ArrowDown")
    is_open(page, second)
    expect(picker).to_be_hidden()
