"""The emoji picker: finding one by mouse and keys, in the field and as a reaction."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person
from messaging.emojis import emoji_key

pytestmark = pytest.mark.embedded

VENDORED = Path("static/vendor/emoji-picker-element-data")


def field(page: Page) -> Locator:
    return page.locator("[data-composer] textarea")


def picker(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Pick an emoji")


def search(page: Page) -> Locator:
    return picker(page).get_by_role("searchbox", name="Search emoji")


def open_picker(page: Page) -> None:
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(picker(page).get_by_role("gridcell").first).to_be_visible()


def focused_name(page: Page) -> str:
    name: str = page.evaluate("document.activeElement.getAttribute('aria-label')")
    return name


def test_every_emoji_of_the_picker_is_taken_as_a_reaction():
    known = json.loads((VENDORED / "en.json").read_text())
    faces = [face for one in known for face in [one, *one.get("skins", [])]]
    assert len(faces) > 3000
    assert [face["emoji"] for face in faces if not emoji_key(face["emoji"])] == []


def test_the_vendored_emoji_are_those_of_the_package():
    digest = hashlib.sha256((VENDORED / "en.json").read_bytes()).hexdigest()
    assert digest in (VENDORED / "README.md").read_text()


def test_a_picked_emoji_goes_to_where_one_writes(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).fill("Hello crew")
    field(page).press("Home")
    for _ in range(5):
        field(page).press("ArrowRight")
    open_picker(page)
    picker(page).get_by_role("gridcell", name="grinning face", exact=True).click()
    expect(field(page)).to_have_value("Hello😀 crew")
    expect(field(page)).to_be_focused()
    expect(picker(page)).to_be_hidden()
    field(page).press("Control+z")
    expect(field(page)).to_have_value("Hello crew")


def test_emoji_are_found_by_their_names(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    open_picker(page)
    expect(search(page)).to_be_focused()
    search(page).fill("tada")
    expect(picker(page).get_by_role("gridcell").first).to_have_text("🎉")
    search(page).fill("no such emoji")
    expect(picker(page)).to_contain_text("Nothing found for “no such emoji”. Try fewer letters.")
    search(page).fill("red heart")
    search(page).press("Enter")
    expect(field(page)).to_have_value("❤️")


def test_keys_alone_pick_an_emoji(open_page: Any, alice: Person, group: dict[str, Any]) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field(page).press("Tab")
    page.keyboard.press("Enter")
    expect(search(page)).to_be_focused()
    expect(picker(page).get_by_role("gridcell").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    cells = picker(page).get_by_role("gridcell")
    names = [cells.nth(index).get_attribute("aria-label") for index in range(17)]
    seen = [focused_name(page)]
    for key in ("ArrowRight", "ArrowDown", "End", "Home", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        seen.append(focused_name(page))
    assert seen == [names[index] for index in (0, 1, 9, 15, 8, 7)] + ["Search emoji"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("PageDown")
    assert focused_name(page) == "monkey face"
    page.keyboard.type("rowing")
    expect(search(page)).to_have_value("rowing")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field(page)).to_have_value("🚣")
    expect(field(page)).to_be_focused()


def test_escape_leaves_the_picker_and_comes_back_to_its_button(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    open_picker(page)
    page.keyboard.press("Escape")
    expect(picker(page)).to_be_hidden()
    button = page.get_by_role("button", name="Emoji", exact=True)
    expect(button).to_be_focused()
    open_picker(page)
    button.click()
    expect(picker(page)).to_be_hidden()
    expect(field(page)).to_have_value("")


def test_the_last_ones_and_the_skin_tone_are_remembered(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    open_picker(page)
    picker(page).get_by_label("Skin tone").select_option("3")
    search(page).fill("thumbs up")
    picker(page).get_by_role("gridcell", name="thumbs up", exact=True).click()
    expect(field(page)).to_have_value("👍🏽")
    page.reload()
    open_picker(page)
    recent = picker(page).get_by_role("rowgroup", name="Recent")
    expect(recent.get_by_role("gridcell")).to_have_text(["👍🏽"])
    waving = picker(page).get_by_role("gridcell", name="waving hand", exact=True)
    expect(waving).to_have_text("👋🏽")


def test_a_message_takes_any_emoji_as_a_reaction(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    alice.says(group, "We won")
    page = open_page(alice, f"/c/{group['id']}")
    message = page.locator(".message").filter(has_text="We won")
    message.hover()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="More emoji").click()
    search(page).fill("rowing")
    search(page).press("Enter")
    expect(message.locator("[data-emoji]")).to_have_text("🚣 1")
    expect(message).to_be_focused()


def test_emoji_that_the_browser_cannot_draw_are_left_out(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")

    def with_one_of_tomorrow(route: Any) -> None:
        emojis = json.loads((VENDORED / "en.json").read_text())
        unknown = {**emojis[0], "emoji": "\U0001fbf0", "annotation": "tomorrow", "version": 99}
        route.fulfill(json=[unknown, *emojis])

    page.route("**/en.json", with_one_of_tomorrow)
    open_picker(page)
    names = picker(page).get_by_role("gridcell")
    expect(names.first).to_have_accessible_name("grinning face")
    expect(picker(page).get_by_role("gridcell", name="tomorrow")).to_have_count(0)


def test_the_picker_says_when_its_emoji_cannot_be_had(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    page.route("**/en.json", lambda route: route.fulfill(status=204))
    page.get_by_role("button", name="Emoji", exact=True).click()
    expect(picker(page)).to_contain_text("The emoji could not be loaded.")
