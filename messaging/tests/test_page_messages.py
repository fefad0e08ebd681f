"""What stands in rows of messages: code, long texts, reactions, receipts, what is on its way."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect

from chatproject.testing import Person, expect_error

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]

REGION = "document.querySelector('[data-timeline]')"
TYPED = [
    "plain",
    "two\nlines",
    "two\n\nparagraphs",
    "**bold** _slanted_ *too* ~~gone~~ `code`",
    "__bold__ snake_case_name **_both_**",
    "> quoted\n\nanswer",
    "> quoted\nanswer",
    "- one\n- two\n- three",
    "- one\n\n- two",
    "- one\n  - inside\n- two",
    "3. three\n4. four",
    "text\n- list",
    "```python\nprint(1)\n\nprint(2)\n```",
    "```\nno language\n```\nafter",
    "see https://example.org/a_b, www.example.org and [label](https://example.org).",
    "2 * 3 * 4 = 24",
    "\\*as typed\\*",
    "👍🎉",
    "👍 and text",
    "a long line of words that wraps " * 12,
    "line\n" * 30,
    "שלום **עולם**",
]


def rows(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages").locator(".message")


def point_at(row: Locator) -> None:
    """Until its tools are there: what a row does comes after the page."""
    row.hover()
    expect(row.get_by_role("toolbar")).to_be_visible()


def test_code_is_copied_by_a_button(open_page: Open, alice: Person, group: dict[str, Any]) -> None:
    alice.says(group, "```python\nprint('one')\n```")
    page = open_page(alice, f"/c/{group['id']}", permissions=["clipboard-read", "clipboard-write"])
    point_at(rows(page).last)
    rows(page).last.get_by_role("button", name="Copy").click()
    expect(rows(page).last.get_by_role("button", name="Copied")).to_be_visible()
    expect(page.locator("[data-announcer]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "print('one')\n"


def test_code_is_copied_without_a_clipboard_too(
    open_page: Open, alice: Person, group: dict[str, Any]
) -> None:
    alice.says(group, "```\nplain http\n```")
    page = open_page(alice, f"/c/{group['id']}")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    point_at(rows(page).last)
    rows(page).last.get_by_role("button", name="Copy").click()
    expect(rows(page).last.get_by_role("button", name="Copied")).to_be_visible()
    field = page.get_by_role("textbox", name=re.compile("^Message"))
    field.focus()
    page.keyboard.press("Control+v")
    expect(field).to_have_value("plain http\n")


def test_what_is_pressed_before_its_part_has_come_is_done_once(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "\n".join(f"line {number}" for number in range(60)))
    page = open_page(alice)
    page.route("**/menu.js", lambda route: (page.wait_for_timeout(1_000), route.continue_()))
    page.goto(f"/c/{chat['id']}", wait_until="commit")
    page.get_by_role("button", name="Show more").click()
    less = page.get_by_role("button", name="Show less")
    expect(less).to_be_visible()
    less.click()
    expect(page.get_by_role("button", name="Show more")).to_be_visible()


def test_a_long_text_is_folded_and_unfolds_without_a_jump(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "short")
    alice.says(chat, "\n".join(f"line {number}" for number in range(60)))
    alice.says(chat, "after")
    page = open_page(alice, f"/c/{chat['id']}")
    long = page.locator("#m2")
    button = long.get_by_role("button", name="Show more")
    height = long.locator("[data-slot=html]").bounding_box()["height"]  # type: ignore[index]
    assert height == pytest.approx(20 * 22, abs=1)
    expect(page.locator("#m1").get_by_role("button", name="Show more")).to_have_count(0)
    point_at(page.locator("#m3"))
    button.scroll_into_view_if_needed()
    top = long.bounding_box()["y"]  # type: ignore[index]
    button.click()
    expect(long.get_by_role("button", name="Show less")).to_be_attached()
    page.wait_for_timeout(200)
    assert long.bounding_box()["y"] == pytest.approx(top, abs=1)  # type: ignore[index]
    assert long.bounding_box()["height"] > 60 * 22  # type: ignore[index]


def test_a_reaction_says_who_it_is_of(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    said = alice.says(group, "Vote")
    for who in (alice, bob):
        at = f"/chats/{group['id']}/messages/{said['id']}/reactions/👍"
        who.rest.put(at).raise_for_status()
    page = open_page(bob, f"/c/{group['id']}")
    point_at(rows(page).last)
    page.locator("[data-emoji='👍'].reaction").hover()
    expect(page.get_by_role("tooltip")).to_have_text("Alice and you")
    chip = page.get_by_role("button", name="👍 2: Alice and you")
    chip.press("Enter")
    expect(page.get_by_role("button", name="👍 1")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()


def test_many_kinds_of_reactions_show_the_rest_when_asked(
    open_page: Open, alice: Person, group: dict[str, Any]
) -> None:
    said = alice.says(group, "Vote")
    for emoji in "🍏🍎🍐🍊🍋🍌🍉🍇🍓🍒🍑🥭🍍":
        at = f"/chats/{group['id']}/messages/{said['id']}/reactions/{emoji}"
        alice.rest.put(at).raise_for_status()
    page = open_page(alice, f"/c/{group['id']}")
    chips = rows(page).last.locator("[data-emoji]:visible")
    expect(chips).to_have_count(11)
    point_at(rows(page).last)
    rows(page).last.get_by_role("button", name="+2").click()
    expect(chips).to_have_count(13)


def test_reactions_offer_one_more(open_page: Open, alice: Person, group: dict[str, Any]) -> None:
    said = alice.says(group, "Vote")
    at = f"/chats/{group['id']}/messages/{said['id']}/reactions/👍"
    alice.rest.put(at).raise_for_status()
    page = open_page(alice, f"/c/{group['id']}")
    point_at(rows(page).last)
    rows(page).last.locator("[data-slot=add-reaction] button").click()
    page.get_by_role("menuitem", name="🎉").click()
    expect(rows(page).last.locator("[data-emoji='🎉']")).to_have_attribute("aria-pressed", "true")


def test_a_line_of_the_system_has_its_icon_and_bold_names(
    open_page: Open, alice: Person, group: dict[str, Any], carol: Person
) -> None:
    alice.rest.post(f"/chats/{group['id']}/members", json={"user_ids": [carol.id]})
    page = open_page(alice, f"/c/{group['id']}")
    line = rows(page).last
    expect(line.locator("[data-slot=html] strong")).to_have_text(["Alice", "Carol"])
    expect(line.locator(".message-icon use")).to_have_attribute("href", "#i-user-add")
    alice.rest.patch(f"/chats/{group['id']}", json={"name": "<b>New</b>"}).raise_for_status()
    expect(line.locator("[data-slot=html] strong")).to_have_text(["Alice", "<b>New</b>"])
    expect(line.locator(".message-icon use")).to_have_attribute("href", "#i-edit")


def test_what_is_on_its_way_is_as_high_as_what_is_stored(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(alice, f"/c/{chat['id']}")
    heights = page.evaluate(
        """async texts => {
            const module = document.querySelector("script[type=module][src]").src;
            const { format } = await import(module.replace("app.js", "format.js"));
            const { clone, slot } = await import(module.replace("app.js", "dom.js"));
            return texts.map(text => {
                const row = clone("message");
                document.querySelector("[data-messages]").append(row);
                slot(row, "html").replaceChildren(...format(text.trim()));
                const { height } = slot(row, "html").getBoundingClientRect();
                row.remove();
                return height;
            });
        }""",
        TYPED,
    )
    for text in TYPED:
        alice.says(chat, text)
    expect(rows(page)).to_have_count(len(TYPED))
    stored = rows(page).evaluate_all(
        """rows => rows.map(row => {
            row.classList.remove("is-folded");
            return row.querySelector("[data-slot=html]").getBoundingClientRect().height;
        })"""
    )
    unlike = [
        (text, typed, height)
        for text, typed, height in zip(TYPED, heights, stored, strict=True)
        if abs(typed - height) > 1
    ]
    assert unlike == []


def test_marks_show_before_the_server_has_answered(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(alice, f"/c/{chat['id']}")
    page.keyboard.type("x")
    page.wait_for_timeout(500)
    page.context.set_offline(True)
    page.get_by_role("textbox", name="Message Bob").fill("**bold** and <b>not</b>")
    page.keyboard.press("Enter")
    waiting = page.locator(".is-pending")
    expect(waiting.locator("[data-slot=html] strong")).to_have_text("bold")
    expect(waiting).to_contain_text("<b>not</b>")
    expect(waiting.locator("[data-slot=state]")).to_have_text("Waiting to send")
    expect_error(page, "ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(False)


def test_what_was_refused_has_a_menu_to_copy_and_delete_it(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    page = open_page(bob, f"/c/{group['id']}")
    field = page.get_by_role("textbox", name=re.compile("^Message"))
    field.fill("a")
    field.evaluate("field => { field.value = 'a\\u0000b'; }")
    page.keyboard.press("Enter")
    refused = page.locator(".is-failed")
    expect(refused).to_contain_text("Not sent.")
    expect(refused.get_by_role("button", name="Try again")).to_be_visible()
    point_at(refused)
    refused.get_by_role("button", name="More").click()
    items = page.get_by_role("menu", name="Message").get_by_role("menuitem")
    expect(items).to_have_text(["Try again", "Copy text", "Delete"])
    page.get_by_role("menuitem", name="Delete").click()
    expect(refused).to_have_count(0)


def test_the_menu_names_the_keys_and_takes_them(
    open_page: Open, alice: Person, group: dict[str, Any]
) -> None:
    alice.says(group, "mine")
    page = open_page(alice, f"/c/{group['id']}")
    row = page.locator("[data-kind=text]")
    point_at(row)
    row.get_by_role("button", name="More").click()
    edit = page.get_by_role("menuitem", name="Edit", exact=True)
    hint = "item => getComputedStyle(item, '::after').content"
    assert edit.evaluate(hint).startswith('"E"')
    page.keyboard.press("e")
    expect(page.get_by_role("menu", name="Message")).to_be_hidden()
    expect(page.get_by_role("textbox", name=re.compile("^Message"))).to_have_value("mine")


def test_what_is_said_stays_to_be_read_without_motion(
    open_page: Open, alice: Person, group: dict[str, Any]
) -> None:
    alice.says(group, "mine")
    page = open_page(alice, f"/c/{group['id']}", reduced_motion="reduce")
    row = page.locator("[data-kind=text]")
    point_at(row)
    row.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Copy link").click()
    expect(page.locator(".toast")).to_be_attached()
    page.wait_for_timeout(1000)
    expect(page.locator(".toast")).to_be_visible()


def test_seen_stands_below_what_the_other_person_has_read(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "one")
    alice.says(chat, "two")
    page = open_page(alice, f"/c/{chat['id']}")
    expect(page.locator(".receipt")).to_have_count(0)
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 1}).raise_for_status()
    expect(page.locator("#m1 .receipt")).to_have_text("Seen")
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 2}).raise_for_status()
    expect(page.locator("#m2 .receipt")).to_have_text("Seen")
    expect(page.locator(".receipt")).to_have_count(1)


def test_what_was_read_while_nobody_listened_is_seen(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    for number in range(3):
        alice.says(chat, f"number {number}")
    page = open_page(alice, f"/c/{chat['id']}")
    receipt = page.locator(".receipt")

    def bob_reads(seq: int) -> None:
        bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": seq}).raise_for_status()

    def connect_once_he_has_read(line: WebSocketRoute) -> None:
        bob_reads(1)
        line.connect_to_server()

    page.route_web_socket("**/ws", connect_once_he_has_read)
    page.reload()
    expect(page.locator("#m1").locator(receipt)).to_have_text("Seen")
    page.context.set_offline(True)
    expect(page.get_by_text("You're offline.")).to_be_visible()
    bob_reads(2)
    page.context.set_offline(False)
    expect(page.locator("#m2").locator(receipt)).to_have_text("Seen")
    chat_link = page.get_by_role("navigation").get_by_role("link", name="Bob")
    page.goto("/settings")
    bob_reads(3)
    page.goto("/")
    chat_link.click()
    expect(page.locator("#m3").locator(receipt)).to_have_text("Seen")
    expect_error(page, "ERR_INTERNET_DISCONNECTED")


def test_a_group_shows_the_faces_of_three_readers(
    open_page: Open, person: Callable[..., Person], alice: Person
) -> None:
    others = [person(name) for name in ("bea", "cem", "dan", "eva")]
    group = alice.group_with(*others)
    said = alice.says(group, "Read this")
    for one in others:
        one.rest.post(f"/chats/{group['id']}/read", json={"seq": said["seq"]}).raise_for_status()
    page = open_page(alice, f"/c/{group['id']}")
    receipt = rows(page).last.locator(".receipt")
    expect(receipt.locator(".avatar")).to_have_count(3)
    expect(receipt).to_contain_text("+1")
    expect(receipt).to_have_attribute("title", "Seen by Bea, Cem, Dan and 1 more")


def test_who_hides_their_own_marks_sees_no_others(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "one")
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 1}).raise_for_status()
    page = open_page(alice, f"/c/{chat['id']}")
    expect(page.locator(".receipt")).to_have_count(1)
    alice.rest.patch("/users/me", json={"settings": {"shows_read": False}}).raise_for_status()
    again = open_page(alice, f"/c/{chat['id']}")
    again.wait_for_timeout(500)
    expect(again.locator(".receipt")).to_have_count(0)
