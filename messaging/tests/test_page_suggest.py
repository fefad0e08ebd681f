"""What the field suggests while one types: people and emoji."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded


def field(page: Page) -> Locator:
    return page.locator("[data-composer] textarea")


def options(page: Page) -> Locator:
    return page.get_by_role("option")


def chosen(page: Page) -> Locator:
    return page.locator("[role=option][aria-selected=true]")


def test_people_are_suggested_after_an_at_sign(
    open_page: Any, alice: Person, bob: Person, carol: Person
) -> None:
    group = alice.group_with(bob, carol)
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially("Ask @")
    expect(page.get_by_role("listbox", name="People")).to_be_visible()
    expect(options(page)).to_have_count(2)
    field(page).press_sequentially("BO")
    expect(options(page)).to_have_count(1)
    expect(options(page)).to_contain_text(f"@{bob.username}")
    expect(field(page)).to_have_attribute("aria-activedescendant", "suggestion-0")
    field(page).press("Enter")
    expect(field(page)).to_have_value(f"Ask @{bob.username} ")
    expect(options(page)).to_have_count(0)
    field(page).press("Enter")
    mention = page.get_by_role("region", name="Messages").locator(".mention")
    expect(mention).to_have_text("@Bob")


def test_the_other_of_a_direct_chat_is_suggested(
    open_page: Any, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    field(page).press_sequentially("@")
    expect(options(page)).to_have_count(1)
    field(page).press("Tab")
    expect(field(page)).to_have_value(f"@{bob.username} ")
    expect(field(page)).to_be_focused()


def test_arrows_go_round_and_a_press_takes_one(
    open_page: Any, alice: Person, bob: Person, carol: Person
) -> None:
    group = alice.group_with(bob, carol)
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially("@")
    expect(chosen(page)).to_contain_text("Bob")
    field(page).press("ArrowUp")
    expect(chosen(page)).to_contain_text("Carol")
    field(page).press("ArrowDown")
    expect(chosen(page)).to_contain_text("Bob")
    options(page).filter(has_text="Carol").click()
    expect(field(page)).to_have_value(f"@{carol.username} ")
    expect(field(page)).to_be_focused()


def test_escape_closes_the_suggestions_and_keeps_the_text(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially("hi @b")
    expect(options(page)).to_have_count(1)
    field(page).press("Escape")
    expect(options(page)).to_have_count(0)
    expect(field(page)).to_have_value("hi @b")
    expect(field(page)).to_be_focused()
    field(page).press_sequentially("o")
    expect(options(page)).to_have_count(0)
    field(page).press_sequentially(" @b")
    expect(options(page)).to_have_count(1)


def test_an_at_sign_inside_a_word_suggests_nobody(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially("@")
    expect(options(page)).to_have_count(1)
    field(page).fill("")
    field(page).press_sequentially("mail me at alice@b")
    expect(options(page)).to_have_count(0)
    field(page).press_sequentially(" @nobody")
    expect(options(page)).to_have_count(0)


def test_emoji_are_suggested_after_a_colon_and_two_letters(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially("Done :t")
    page.wait_for_load_state("networkidle")
    expect(options(page)).to_have_count(0)
    field(page).press_sequentially("ada")
    expect(page.get_by_role("listbox", name="Emoji")).to_be_visible()
    expect(chosen(page)).to_contain_text("🎉")
    field(page).press("Enter")
    expect(field(page)).to_have_value("Done 🎉 ")


def test_an_input_method_keeps_its_keys(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially("@")
    expect(options(page)).to_have_count(1)
    for key in ("Enter", "Tab", "Escape"):
        field(page).dispatch_event("keydown", {"key": key, "isComposing": True})
        field(page).dispatch_event("keydown", {"key": key, "keyCode": 229})
    expect(field(page)).to_have_value("@")
    expect(options(page)).to_have_count(1)


def test_suggestions_come_within_fifty_milliseconds(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press_sequentially(":tada")
    expect(options(page).first).to_be_visible()
    for text in ("@b", ":sm"):
        took = page.evaluate(
            """async (text) => {
                const field = document.querySelector('[data-composer] textarea');
                field.value = text;
                const started = performance.now();
                field.dispatchEvent(new InputEvent('input'));
                while (!document.querySelector('[role=option]')) await null;
                return performance.now() - started;
            }""",
            text,
        )
        assert took < 50
        field(page).fill("")
        expect(options(page)).to_have_count(0)


def test_suggestions_go_with_the_chat_that_they_were_for(
    open_page: Any, alice: Person, bob: Person
) -> None:
    chats = [alice.group_with(bob, name=name) for name in ("Here", "There")]
    page = open_page(alice, f"/c/{chats[0]['id']}")
    field(page).press_sequentially("@b")
    expect(options(page)).to_have_count(1)
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_role("heading", name="There").first).to_be_visible()
    expect(options(page)).to_have_count(0)
    expect(field(page)).to_have_value("")
