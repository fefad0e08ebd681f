"""Rows of messages: the same from the server and from the script, grouped, paged, kept in place."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]

TEXTS = [
    "Plain",
    "**Bold** and _slanted_ and ~~gone~~",
    "Two\nlines",
    "Two\n\nparagraphs",
    "> quoted\n\nanswered",
    "- one\n- two",
    "7. seven\n8. eight",
    "`code`",
    "```python\nprint('<b>')\n```",
    "```\nno language\n```",
    "https://example.org/?a=1&b=2",
    "[label](https://example.org)",
    "<script>alert(1)</script> & <b>x</b>",
    "👍",
    "👍🏽🎉❤️",
    "שלום עולם",
    "مرحبا **بكم**",
    "no\xa0break",
    "a" * 3000,
    "mail@example.org",
    "snake_case and __both__",
    "'quotes' \"too\"",
    "1. one\n2. two\n\n   more of two",
    "- one\n  - inside\n- two",
    "> deep\n> > deeper\n\nanswer",
    "**bold _and slanted_**",
    "~~gone `code`~~",
    "```js\nlet a = `x`;\n```\nafter",
    "before\n```\n<b>\n```",
    "line\n" * 30,
    "a long word " * 200,
    "\\*not slanted\\*",
    "2 * 3 * 4 = 24",
    "http://example.org. And on (https://example.org/a_b_c)",
    "www.example.org/path",
    "<https://example.org/in-angles>",
    "[javascript](javascript:alert(1))",
    "## no heading",
    "| no | table |",
    "![no image](https://example.org/x.png)",
    "👍👍👍👍👍👍👍👍👍",
    "👨‍👩‍👧‍👦 🇵🇹",
    "e\u0301 and \u202eback",
    "中文，没有空格。",
    "&amp; &lt;b&gt;",
    "- [ ] a task",
    "\ttab first",
    "trailing  \ntwo spaces",
    "@nobody-of-that-name",
    "`` a ` tick ``",
]

# A row as text: attributes in order, white space as one, without the times, whose zone differs.
NORMALISED = """rows => rows.map(row => {
    const copy = row.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) {
        time.textContent = "";
        time.removeAttribute("title");
    }
    const extras = "[data-tools], [data-act=copy-code], [data-act=unfold], .receipt";
    for (const extra of copy.querySelectorAll(extras)) extra.remove();
    copy.classList.remove("is-folded");
    for (const pre of copy.querySelectorAll("pre")) pre.removeAttribute("tabindex");
    const show = node => {
        if (node.nodeType === 3) return node.data.replace(/\\s+/g, " ").trim();
        const attributes = [...node.attributes]
            .map(({name, value}) => [name, name === "class"
                ? value.trim().split(/\\s+/).sort().join(" ") : value])
            .filter(([name, value]) => name !== "class" || value)
            .map(([name, value]) => `${name}="${value}"`).sort().join(" ");
        const inside = [...node.childNodes].map(show).filter(Boolean).join("\\n");
        return `<${node.localName} ${attributes}>\\n${inside}\\n</${node.localName}>`;
    };
    return show(copy);
})"""


def rows(page: Page) -> Locator:
    return page.get_by_role("region", name="Messages").locator(".message")


def contents(page: Page) -> list[str]:
    return rows(page).locator("[data-slot=html]").all_inner_texts()


def test_the_server_and_the_script_make_equal_rows(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    zone = {"timezone_id": "UTC"}
    path = f"/c/{group['id']}"
    live = open_page(bob, path, **zone)
    expect(rows(live)).to_have_count(1)
    newest = _say_all_kinds(alice, bob, group)
    expect(rows(live).last).to_contain_text("the last one")
    bob.rest.post(f"/chats/{group['id']}/unread", json={"seq": newest - 49}).raise_for_status()
    plain = open_page(bob, path, java_script_enabled=False, **zone)
    made_by_server = rows(plain).evaluate_all(NORMALISED)
    assert len(made_by_server) == 50
    made_by_script = rows(live).evaluate_all(NORMALISED)[-50:]
    assert _unlike(made_by_script, made_by_server) == []
    taken_over = open_page(bob, path, **zone)
    assert _unlike(rows(taken_over).evaluate_all(NORMALISED)[-50:], made_by_server) == []


def test_a_time_that_is_pointed_at_says_when_that_was_in_full(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    path = f"/chats/{group['id']}/messages"
    alice.rest.post(path, json={"content": "On time"}).raise_for_status()
    page = open_page(bob, f"/c/{group['id']}", timezone_id="Asia/Tokyo", locale="en-GB")
    moment = datetime.now(ZoneInfo("Asia/Tokyo"))
    row = rows(page).last
    of_row, of_chat = row.locator(".message-time"), page.locator(".chat-row-time").first
    for point, time in ((row.focus, of_row), (of_chat.hover, of_chat)):
        point()
        expect(time).to_have_attribute(
            "title", re.compile(f"{moment:%A},? {moment:%-d %B %Y} at {moment:%H}:")
        )


def _unlike(some: list[str], others: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for one, other in zip(some, others, strict=True) if one != other]


def _say_all_kinds(alice: Person, bob: Person, group: dict[str, Any]) -> int:
    for number, text in enumerate(TEXTS):
        (alice if number % 3 else bob).says(group, text)
    said = alice.says(group, f"Look, @{bob.username}, and _this_ [link](https://example.org/x)")
    bob.says(group, "An answer", reply_to=said["id"])
    gone = alice.says(group, "Soon gone")
    alice.says(group, "To what is gone", reply_to=gone["id"])
    at = f"/chats/{group['id']}/messages"
    alice.rest.delete(f"{at}/{gone['id']}").raise_for_status()
    alice.rest.patch(f"{at}/{said['id']}", json={"content": f"Edited @{bob.username}"})
    for who, emoji in ((alice, "🎉"), (bob, "🎉"), (alice, "👍🏽")):
        who.rest.put(f"{at}/{said['id']}/reactions/{emoji}").raise_for_status()
    popular = alice.says(group, "Vote")
    for emoji in "🍏🍎🍐🍊🍋🍌🍉🍇🍓🍒🍑🥭🍍":
        bob.rest.put(f"{at}/{popular['id']}/reactions/{emoji}").raise_for_status()
    alice.rest.patch(f"/chats/{group['id']}", json={"name": "New <name>"}).raise_for_status()
    return int(alice.says(group, "the last one")["seq"])


def test_rows_stand_beneath_each_other_by_the_readers_own_day(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    first, second = alice.says(chat, "late"), alice.says(chat, "later")
    _date(first, "2026-03-01T22:30:00+00:00")
    _date(second, "2026-03-01T23:30:00+00:00")
    alice.says(chat, "now")
    page = open_page(bob, f"/c/{chat['id']}", timezone_id="Europe/Berlin")
    days = page.locator("[data-day]")
    expect(days).to_have_count(3)
    assert days.nth(0).get_attribute("data-day") == "2026-03-01"
    assert days.nth(1).get_attribute("data-day") == "2026-03-02"
    expect(days.nth(2)).to_have_text("Today")
    expect(page.locator(".message.is-first")).to_have_count(3)


def _date(message: dict[str, Any], moment: str) -> None:
    from messaging.models import Message

    Message.objects.filter(id=message["id"]).update(created_at=moment)


def test_messages_within_five_minutes_share_a_head(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "one")
    page = open_page(bob, f"/c/{chat['id']}")
    alice.says(chat, "two")
    bob.says(chat, "three")
    alice.says(chat, "four")
    expect(rows(page)).to_have_count(4)
    is_first = rows(page).evaluate_all("rows => rows.map(r => r.classList.contains('is-first'))")
    assert is_first == [True, False, True, True]


def _fill(alice: Person, chat: dict[str, Any], count: int) -> None:
    for number in range(1, count + 1):
        alice.says(chat, f"m{number}\nand more")


REGION = "document.querySelector('[data-timeline]')"
DISTANCE = f"{REGION}.scrollHeight - {REGION}.clientHeight - {REGION}.scrollTop"


def _scroll(page: Page, to: int | None, row: str) -> float:
    """Scrolls, if at all, and says at once where a row stands: a page may come in between."""
    top = page.evaluate(
        f"""([to, row]) => {{
            if (to !== null) {REGION}.scrollTop = to;
            return document.querySelector(row).getBoundingClientRect().top;
        }}""",
        [to, row],
    )
    return float(top)


def _wait_for_the_end(page: Page) -> None:
    """Playwright's own waiting for an expression needs eval, which the page forbids."""
    for _ in range(100):
        if page.evaluate(DISTANCE) <= 1:
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.evaluate(DISTANCE))


def test_older_messages_come_without_moving_what_is_read(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    _fill(alice, chat, 120)
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 120}).raise_for_status()
    page = open_page(bob, f"/c/{chat['id']}")
    expect(rows(page)).to_have_count(50)
    assert page.evaluate(DISTANCE) <= 1
    top = _scroll(page, 0, "#m71")
    expect(rows(page)).not_to_have_count(50)
    assert abs(_scroll(page, None, "#m71") - top) <= 1
    while rows(page).count() < 120:
        page.evaluate(f"{REGION}.scrollTop = 0")
        page.wait_for_timeout(50)
    assert [text.split("\n")[0] for text in contents(page)] == [f"m{n}" for n in range(1, 121)]


def test_arrivals_move_nothing_while_one_reads_further_up(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    _fill(alice, chat, 40)
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 40}).raise_for_status()
    page = open_page(bob, f"/c/{chat['id']}")
    top = _scroll(page, 400, "#m20")
    page.wait_for_timeout(200)
    for text in ("new one", "new two"):
        alice.says(chat, text)
    pill = page.locator("[data-to-newest]")
    expect(pill).to_have_text("2 new messages")
    assert abs(_scroll(page, None, "#m20") - top) <= 1
    pill.click()
    expect(pill).to_be_hidden()
    _wait_for_the_end(page)
    alice.says(chat, "new three")
    expect(rows(page).last).to_contain_text("new three")
    _wait_for_the_end(page)


def test_sending_leads_to_the_end(open_page: Open, alice: Person, bob: Person) -> None:
    chat = alice.direct_chat_with(bob)
    _fill(alice, chat, 120)
    page = open_page(alice, f"/c/{chat['id']}?at=20")
    expect(rows(page).filter(has_text="m20\n").first).to_be_in_viewport()
    page.locator("[data-composer] textarea").fill("back at the end")
    page.keyboard.press("Enter")
    expect(rows(page).last).to_contain_text("back at the end")
    expect(rows(page).last).to_be_in_viewport()
    expect(page.locator(".is-pending")).to_have_count(0)
    assert contents(page)[-2].startswith("m120")


def test_a_permalink_stands_in_the_middle_and_leads_down_to_the_newest(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    _fill(alice, chat, 120)
    page = open_page(alice, f"/c/{chat['id']}?at=30")
    target = page.locator("#m30")
    expect(target).to_have_class("message is-own is-target")
    offset = page.evaluate(
        f"""() => {{
            const [row, region] = [document.querySelector("#m30"), {REGION}]
                .map(element => element.getBoundingClientRect());
            return Math.abs((row.top + row.bottom) - (region.top + region.bottom)) / 2;
        }}"""
    )
    assert offset <= 2
    expect(target).to_have_class("message is-own")
    for _ in range(20):
        page.evaluate(f"{REGION}.scrollTop = {REGION}.scrollHeight")
        page.wait_for_timeout(100)
    assert contents(page)[-1].startswith("m120")
    numbers = rows(page).evaluate_all("rows => rows.map(row => Number(row.dataset.seq))")
    assert numbers == list(range(numbers[0], 121))


def test_a_chat_opens_at_the_first_unread(open_page: Open, alice: Person, bob: Person) -> None:
    chat = alice.direct_chat_with(bob)
    _fill(alice, chat, 45)
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 20}).raise_for_status()
    page = open_page(bob, f"/c/{chat['id']}")
    expect(page.locator(".unread-line + .message")).to_contain_text("m21")
    share = page.evaluate(
        f"""() => {{
            const region = {REGION}.getBoundingClientRect();
            const line = document.querySelector(".unread-line").getBoundingClientRect();
            return (line.top - region.top) / region.height;
        }}"""
    )
    assert 0.2 < share < 0.3


def test_what_a_reply_answers_is_found_however_far_back(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    _fill(alice, chat, 130)
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": 130}).raise_for_status()
    first = bob.rest.get(f"/chats/{chat['id']}/messages?after=6&limit=1").json()["results"][0]
    page = open_page(bob, f"/c/{chat['id']}")
    alice.says(chat, "about that", reply_to=first["id"])
    reply = rows(page).last.locator("[data-slot=reply]")
    expect(reply).to_have_text("Alice m7 and more")
    reply.click()
    expect(page.locator("#m7")).to_be_in_viewport()
