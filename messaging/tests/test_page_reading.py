"""What counts as read, on every tab of a person. Rules by the names they have."""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person
from messaging.tests.test_page_scroll import PINNED, REGION, field, fill, rows, until

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]
Chat = dict[str, Any]


def unread(page: Page, chat: Chat) -> Locator:
    return page.locator(f'[data-chat-id="{chat["id"]}"] [data-slot=unread]')


def look_away(page: Page) -> None:
    """Headless windows always say that they have the focus."""
    page.evaluate("document.hasFocus = () => false; dispatchEvent(new Event('blur'))")


def look_back(page: Page) -> None:
    page.evaluate("delete document.hasFocus; dispatchEvent(new Event('focus'))")


def hide(page: Page) -> None:
    page.evaluate(
        """Object.defineProperty(document, "hidden", {value: true, configurable: true});
           document.dispatchEvent(new Event("visibilitychange"))"""
    )


def show(page: Page) -> None:
    page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


TELL_MARKS = """
    globalThis.told = [];
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        const frame = JSON.parse(data);
        if (frame.type === "read") told.push([performance.now(), frame.seq]);
        return send.call(this, data);
    };
"""
"""When and how far a page moves its mark, by its own clock."""


def me(who: Person, chat: Chat) -> dict[str, Any]:
    found: dict[str, Any] = who.rest.get(f"/chats/{chat['id']}").json()["me"]
    return found


def says(who: Person, chat: Chat, *texts: str) -> None:
    for text in texts:
        who.says(chat, text)


def test_r1_what_comes_while_the_page_is_hidden_stays_unread(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    says(alice, chat, "seen")
    expect(rows(page)).to_have_count(1)
    expect(unread(page, chat)).to_be_hidden()
    hide(page)
    says(alice, chat, "not seen")
    expect(unread(page, chat)).to_have_text("1 unread")
    page.wait_for_timeout(1200)
    assert me(bob, chat)["unread_count"] == 1
    show(page)
    expect(unread(page, chat)).to_be_hidden()
    assert me(bob, chat)["unread_count"] == 0


def test_r1_what_comes_to_a_window_without_focus_stays_unread(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    look_away(page)
    says(alice, chat, "not seen")
    expect(unread(page, chat)).to_have_text("1 unread")
    page.wait_for_timeout(1200)
    assert me(bob, chat)["unread_count"] == 1
    look_back(page)
    expect(unread(page, chat)).to_be_hidden()


def test_r1_what_comes_a_minute_after_the_last_activity_stays_unread(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    page.clock.install()
    page.reload()
    says(alice, chat, "seen")
    expect(page.locator(".message").last).to_contain_text("seen")
    page.clock.run_for(1000)
    expect(unread(page, chat)).to_be_hidden()
    page.clock.fast_forward(61_000)
    says(alice, chat, "not seen")
    expect(unread(page, chat)).to_have_text("1 unread")
    page.clock.run_for(2000)
    assert me(bob, chat)["unread_count"] == 1
    expect(page.locator(".unread-line + .message")).to_contain_text("not seen")
    page.mouse.move(200, 200)
    page.clock.run_for(1000)
    expect(unread(page, chat)).to_be_hidden()


def test_r1_of_a_message_higher_than_the_window_the_last_line_has_to_be_seen(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    fill(chat, 30, alice, read_by=bob)
    says(alice, chat, "\n\n".join(f"line {number}" for number in range(90)))
    page = open_page(bob, f"/c/{chat['id']}", viewport={"width": 900, "height": 500})
    expect(page.locator("#m31")).to_be_in_viewport()
    page.wait_for_timeout(1200)
    assert me(bob, chat)["unread_count"] == 1
    page.evaluate(f"() => {{ {REGION}.scrollTop = {REGION}.scrollHeight }}")
    expect(unread(page, chat)).to_be_hidden()


def test_r2_the_mark_never_passes_what_was_skipped(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    fill(chat, 20, alice, read_by=bob)
    fill(chat, 100, alice)
    page = open_page(bob, f"/c/{chat['id']}")
    expect(page.locator(".unread-line")).to_be_in_viewport()
    page.locator("[data-to-newest]").click()
    expect(page.locator("#m120")).to_be_in_viewport()
    until(page, PINNED)
    page.wait_for_timeout(1200)
    mark = me(bob, chat)["last_read_seq"]
    assert 20 < mark < 60
    up = page.locator("[data-to-unread]")
    expect(up).to_be_visible()
    up.click()
    expect(page.locator(f"#m{mark + 1}")).to_be_in_viewport()
    region = page.get_by_role("region", name="Messages")
    region.focus()
    for _ in range(40):
        page.keyboard.press("PageDown")
        page.wait_for_timeout(200)
        if page.evaluate(PINNED):
            break
    expect(unread(page, chat)).to_be_hidden()
    assert me(bob, chat)["last_read_seq"] == 120


def test_r2_marks_only_rise_and_are_half_a_second_apart(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob)
    page.add_init_script(TELL_MARKS)
    page.goto(f"/c/{chat['id']}")
    expect(field(page)).to_be_focused()
    for number in range(30):
        alice.says(chat, f"n{number}")
        page.wait_for_timeout(60)
    expect(unread(page, chat)).to_be_hidden()
    page.wait_for_timeout(700)
    told = page.evaluate("told")
    seqs = [seq for _, seq in told]
    assert seqs == sorted(set(seqs))
    assert seqs[-1] == 30
    assert len(seqs) >= 3
    pauses = [later - sooner for (sooner, _), (later, _) in pairwise(told)]
    assert min(pauses) > 490, pauses


def test_r2_what_was_seen_is_told_when_the_page_is_left(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat, other = alice.direct_chat_with(bob), alice.group_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    for number in range(3):
        says(alice, chat, f"seen {number}")
    expect(rows(page).last).to_contain_text("seen 2")
    page.locator(f'[data-chat-id="{other["id"]}"] a').click()
    expect(unread(page, chat)).to_be_hidden()
    assert me(bob, chat)["last_read_seq"] == 3


def test_r3_arrivals_in_an_active_window_are_read_at_once(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    says(alice, chat, "one", "two", "three")
    expect(rows(page)).to_have_count(3)
    expect(unread(page, chat)).to_be_hidden(timeout=1500)
    expect(page.locator(".unread-line")).to_have_count(0)
    expect(page).to_have_title("Alice · Chat")


def test_r3_the_divider_stands_above_the_first_that_came_without_focus(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    says(alice, chat, "seen")
    expect(rows(page)).to_have_count(1)
    look_away(page)
    says(alice, chat, "first", "second", "third")
    expect(page.locator(".unread-line + .message")).to_contain_text("first")
    expect(page.locator(".unread-line")).to_have_text("3 new messages")
    look_back(page)
    expect(unread(page, chat)).to_be_hidden()
    says(alice, chat, "fourth")
    expect(rows(page)).to_have_count(5)
    expect(page.locator(".unread-line + .message")).to_contain_text("first")
    page.wait_for_timeout(700)
    look_away(page)
    says(alice, chat, "fifth")
    expect(page.locator(".unread-line + .message")).to_contain_text("fifth")
    expect(page.locator(".unread-line")).to_have_text("New message")


def test_r4_the_divider_stays_until_one_leaves_escapes_or_sends(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat, other = alice.direct_chat_with(bob), alice.group_with(bob)
    line = ".unread-line"
    says(alice, chat, "one", "two")
    page = open_page(bob, f"/c/{chat['id']}")
    expect(unread(page, chat)).to_be_hidden()
    expect(page.locator(f"{line} + .message")).to_contain_text("one")
    go = lambda where: page.locator(f'[data-chat-id="{where["id"]}"] a').click()  # noqa: E731
    go(other)
    expect(page.locator("h2[data-chat-title]")).to_have_text("Regatta weekend")
    go(chat)
    expect(rows(page).last).to_contain_text("two")
    expect(page.locator(line)).to_have_count(0)
    look_away(page)
    says(alice, chat, "three")
    expect(page.locator(line)).to_have_count(1)
    look_back(page)
    page.keyboard.press("Escape")
    expect(page.locator(line)).to_have_count(0)
    page.wait_for_timeout(700)
    look_away(page)
    says(alice, chat, "four")
    expect(page.locator(line)).to_have_count(1)
    look_back(page)
    field(page).fill("an answer")
    field(page).press("Enter")
    expect(page.locator(line)).to_have_count(0)


def test_r4_the_divider_is_not_shown_above_what_is_not_the_first_unread(
    open_page: Open, alice: Person, bob: Person
) -> None:
    bob.rest.patch("/users/me", json={"settings": {"opens_at_newest": True}}).raise_for_status()
    chat = alice.direct_chat_with(bob)
    fill(chat, 200, alice)
    page = open_page(bob, f"/c/{chat['id']}")
    until(page, PINNED)
    page.wait_for_timeout(800)
    expect(page.locator(".unread-line")).to_have_count(0)
    assert me(bob, chat)["last_read_seq"] == 0
    page.locator("[data-to-unread]").click()
    expect(page.locator(".unread-line + .message")).to_have_id("m1")


def test_r5_counts_title_and_pictures_follow_within_a_second_in_all_tabs(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    first, second = open_page(bob), open_page(bob)
    plain = second.locator("link[rel=icon]").get_attribute("href")
    says(alice, chat, "one", "two")
    for page in (first, second):
        expect(unread(page, chat)).to_have_text("2 unread", timeout=1000)
        expect(page).to_have_title("(1) Chats · Chat", timeout=1000)
        expect(page.locator("link[rel=icon]")).not_to_have_attribute("href", plain or "")
    first.locator(f'[data-chat-id="{chat["id"]}"] a').click()
    expect(unread(second, chat)).to_be_hidden(timeout=1500)
    expect(second).to_have_title("Chats · Chat", timeout=1000)
    expect(second.locator("link[rel=icon]")).to_have_attribute("href", plain or "")


def test_r5_the_badge_of_an_installed_app_is_the_same_number(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat, other = alice.direct_chat_with(bob), alice.group_with(bob)
    page = open_page(bob)
    page.add_init_script(
        "window.badges = []; navigator.setAppBadge = async number => { badges.push(number) }"
    )
    page.goto("/")
    expect(unread(page, chat)).to_be_hidden()
    says(alice, chat, "one", "two")
    says(alice, other, "three")
    until(page, "badges.at(-1) === 2")
    page.locator(f'[data-chat-id="{chat["id"]}"] a').click()
    until(page, "badges.at(-1) === 1")
    page.locator(f'[data-chat-id="{other["id"]}"] a').click()
    until(page, "badges.at(-1) === 0")


def test_r6_marked_unread_from_here_a_chat_stays_so_until_one_comes_back(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat, other = alice.direct_chat_with(bob), alice.group_with(bob)
    says(alice, chat, "one", "two", "three")
    page, tab = open_page(bob, f"/c/{chat['id']}"), open_page(bob)
    expect(unread(page, chat)).to_be_hidden()
    rows(page).filter(has_text="two").hover()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Mark unread from here").click()
    expect(page.locator(".unread-line + .message")).to_contain_text("two")
    for one in (page, tab):
        expect(unread(one, chat)).to_have_text("2 unread")
    says(alice, chat, "four")
    expect(unread(page, chat)).to_have_text("3 unread")
    page.wait_for_timeout(1200)
    assert me(bob, chat)["last_read_seq"] == 1
    page.locator(f'[data-chat-id="{other["id"]}"] a').click()
    expect(page.locator("h2[data-chat-title]")).to_have_text("Regatta weekend")
    assert me(bob, chat)["unread_count"] == 3
    page.locator(f'[data-chat-id="{chat["id"]}"] a').click()
    expect(unread(page, chat)).to_be_hidden()
    expect(unread(tab, chat)).to_be_hidden()


def test_r8_a_muted_chat_counts_nowhere_unless_one_is_mentioned(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.group_with(bob)
    muted = {"me": {"muted_until": "2100-01-01T00:00:00.000000Z"}}
    bob.rest.patch(f"/chats/{chat['id']}", json=muted).raise_for_status()
    page = open_page(bob)
    says(alice, chat, "quietly")
    row = page.locator(f'[data-chat-id="{chat["id"]}"]')
    expect(row).to_contain_text("quietly")
    expect(unread(page, chat)).to_be_hidden()
    expect(page).to_have_title("Chats · Chat")
    says(alice, chat, f"@{bob.username}, look")
    expect(row.locator("[data-slot=mentions]")).to_have_text("@1")
    expect(page).to_have_title(re.compile(r"^\(1\) "))
