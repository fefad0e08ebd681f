"""Two people with the page open in real browsers."""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.ids import new_id
from chatproject.testing import PASSWORD, Person, Server, expect_error
from messaging.models import Installation

Open = Callable[..., Page]


def field(page: Page) -> Locator:
    return page.locator("[data-composer] textarea")


def say(page: Page, text: str) -> None:
    field(page).fill(text)
    field(page).press("Enter")


def messages(page: Page) -> Locator:
    region = page.get_by_role("region", name="Messages")
    return region.locator(".message:not([data-kind=system])")


def texts(page: Page) -> Locator:
    return messages(page).locator("[data-slot=html]")


def chat_row(page: Page, chat: dict[str, Any]) -> Locator:
    return page.locator(f'[data-chat-id="{chat["id"]}"]')


def look_away(page: Page) -> None:
    """Headless windows always say that they have the focus."""
    page.evaluate("document.hasFocus = () => false; dispatchEvent(new Event('blur'))")


def look_back(page: Page) -> None:
    page.evaluate("delete document.hasFocus; dispatchEvent(new Event('focus'))")


def choose(page: Page, text: str, item: str) -> None:
    """An entry of a message's menu."""
    messages(page).filter(has_text=text).hover()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def test_two_people_chat_both_ways(open_page: Open, alice: Person, bob: Person) -> None:
    path = f"/c/{alice.direct_chat_with(bob)['id']}"
    hers, his = open_page(alice, path), open_page(bob, path)
    say(hers, "Are you at the boathouse?")
    expect(texts(his)).to_have_text(["Are you at the boathouse?"])
    say(his, "Five **minutes**")
    expect(texts(hers)).to_have_text(["Are you at the boathouse?", "Five minutes"])
    expect(texts(hers).locator("strong")).to_have_text("minutes")
    expect(hers.locator(".is-pending")).to_have_count(0)
    expect(hers.locator("[data-empty]")).to_be_hidden()


@pytest.mark.embedded
def test_an_own_message_is_shown_at_once_and_the_field_is_empty(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    expect(field(page)).to_be_focused()
    took = page.evaluate(
        """async () => {
            const field = document.querySelector('[data-composer] textarea');
            field.value = 'one\\n\\ntwo <b>\\nthree';
            const started = performance.now();
            field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', cancelable: true}));
            const row = document.querySelector('.message.is-pending .message-text');
            return [performance.now() - started, row?.innerHTML, field.value];
        }"""
    )
    assert took[0] < 50
    assert took[1:] == ['<p dir="auto">one</p><p dir="auto">two &lt;b&gt;<br>three</p>', ""]
    expect(messages(page)).to_have_count(1)
    expect(page.locator(".is-pending")).to_have_count(0)
    assert texts(page).inner_html() == took[1]


@pytest.mark.embedded
def test_nothing_blank_is_sent_and_shift_makes_a_line(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    say(page, " \n ")
    say(page, "\u200b\ufeff ")
    page.get_by_role("button", name="Send").click(force=True)
    expect(messages(page)).to_have_count(0)
    field(page).fill("")
    field(page).press_sequentially("two")
    field(page).press("Shift+Enter")
    field(page).press_sequentially("lines")
    field(page).press("Enter")
    expect(texts(page)).to_have_text(["two\nlines"], use_inner_text=True)


@pytest.mark.embedded
def test_enter_ends_a_composition_without_sending(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    field(page).fill("にほん")
    field(page).dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    field(page).dispatch_event("keydown", {"key": "Enter", "keyCode": 229})
    expect(messages(page)).to_have_count(0)
    field(page).press("Enter")
    expect(texts(page)).to_have_text(["にほん"])


def type_until(where: Locator, text: str, *pages: Page) -> None:
    """Who types is told of every three seconds, and that may be lost on a busy machine."""
    for _ in range(5):
        for page in pages:
            field(page).press_sequentially("so ")
        with contextlib.suppress(AssertionError):
            return expect(where).to_contain_text(text, timeout=3_500)
    return expect(where).to_contain_text(text)


def test_a_group_sees_typing_and_counts_what_is_unread(
    open_page: Open, alice: Person, bob: Person, carol: Person
) -> None:
    chat = alice.group_with(bob, carol)
    hers, his = open_page(alice, f"/c/{chat['id']}"), open_page(bob, "/")
    third = open_page(carol, f"/c/{chat['id']}")
    type_until(third.locator("[data-typing-text]"), "Alice is typing", hers)
    type_until(chat_row(his, chat), "Alice is typing", hers)
    type_until(chat_row(his, chat), "Alice and Carol are typing", hers, third)
    field(hers).press("Enter")
    say(hers, f"or not, @{bob.username}?")
    expect(third.locator("[data-typing-text]")).to_have_text("")
    unread = chat_row(his, chat).locator("[data-slot=unread]")
    expect(unread).to_have_text("2 unread")
    expect(chat_row(his, chat).locator("[data-slot=mentions]")).to_have_text("@1")
    expect(his).to_have_title("(1) Chats · Chat")
    expect(chat_row(his, chat)).to_have_class(re.compile("is-unread"))
    chat_row(his, chat).click()
    expect(his.locator(".unread-line")).to_be_visible()
    expect(unread).to_be_hidden()
    expect(his).to_have_title("Regatta weekend · Chat")
    expect(hers.locator("[data-chat-state]")).to_have_text("3 members · 3 online")


@pytest.mark.embedded
def test_a_window_without_focus_leaves_messages_unread(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    page = open_page(bob, f"/c/{chat['id']}")
    alice.says(chat, "seen")
    expect(texts(page)).to_have_text(["seen"])
    expect(chat_row(page, chat).locator("[data-slot=unread]")).to_be_hidden()
    expect(page.locator(".unread-line")).to_have_count(0)
    look_away(page)
    alice.says(chat, "not seen")
    expect(chat_row(page, chat).locator("[data-slot=unread]")).to_have_text("1 unread")
    expect(page.locator(".unread-line + .message")).to_contain_text("not seen")
    look_back(page)
    expect(chat_row(page, chat).locator("[data-slot=unread]")).to_be_hidden()
    expect(page.locator(".unread-line")).to_have_count(1)
    say(page, "now I have")
    expect(page.locator(".unread-line")).to_have_count(0)


def test_an_edit_shows_on_the_other_side(open_page: Open, alice: Person, bob: Person) -> None:
    path = f"/c/{alice.direct_chat_with(bob)['id']}"
    hers, his = open_page(alice, path), open_page(bob, path)
    say(hers, "Fvie minutes")
    expect(texts(his)).to_have_text(["Fvie minutes"])
    field(hers).press("ArrowUp")
    expect(field(hers)).to_have_value("Fvie minutes")
    field(hers).press("Escape")
    expect(field(hers)).to_have_value("")
    choose(hers, "Fvie", "Edit")
    say(hers, "Five minutes")
    expect(texts(his)).to_have_text(["Five minutes"])
    expect(messages(his).locator("[data-slot=edited]")).to_be_visible()
    expect(field(hers)).to_have_value("")


def test_a_deleted_message_goes_on_the_other_side(
    open_page: Open, alice: Person, bob: Person
) -> None:
    path = f"/c/{alice.direct_chat_with(bob)['id']}"
    hers, his = open_page(alice, path), open_page(bob, path)
    say(hers, "a secret")
    expect(texts(his)).to_have_text(["a secret"])
    choose(hers, "a secret", "Delete")
    hers.get_by_role("button", name="Cancel").click()
    choose(hers, "a secret", "Delete")
    hers.get_by_role("button", name="Delete", exact=True).click()
    expect(messages(his).locator(".message-gone")).to_be_visible()
    expect(texts(his)).to_have_text([""])


@pytest.mark.embedded
def test_an_emptied_edit_asks_to_delete(open_page: Open, alice: Person, bob: Person) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    say(page, "never mind")
    expect(page.locator(".is-pending")).to_have_count(0)
    field(page).press("ArrowUp")
    say(page, " ")
    expect(page.get_by_role("dialog")).to_contain_text("Delete this message for everyone?")
    page.keyboard.press("Enter")
    expect(messages(page).locator(".message-gone")).to_be_visible()


@pytest.mark.embedded
def test_one_who_manages_deletes_what_others_said(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    bob.says(group, "buy this")
    alice.says(group, "no")
    hers, his = open_page(alice, f"/c/{group['id']}"), open_page(bob, f"/c/{group['id']}")
    messages(his).filter(has_text="no").hover()
    his.get_by_role("button", name="More").click()
    expect(his.get_by_role("menuitem", name="Reply")).to_be_visible()
    expect(his.get_by_role("menuitem", name="Delete")).to_be_hidden()
    choose(hers, "buy this", "Delete")
    expect(hers.get_by_role("dialog")).to_contain_text("Delete Bob's message for everyone?")
    hers.get_by_role("button", name="Delete", exact=True).click()
    expect(messages(his).locator(".message-gone")).to_have_count(2)
    expect(messages(his).locator(".message-gone").first).to_be_visible()


@pytest.mark.embedded
def test_a_pointer_that_rested_before_the_menu_came_finds_the_tools(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "first")
    page = open_page(alice)
    held: list[Any] = []
    page.route("**/js/menu.js", lambda route: held.append(route))
    page.goto(f"/c/{chat['id']}", wait_until="domcontentloaded")
    messages(page).hover()
    page.wait_for_timeout(500)
    assert len(held) == 1
    expect(page.get_by_role("button", name="More")).to_be_hidden()
    held[0].continue_()
    expect(page.get_by_role("button", name="More")).to_be_visible()


def test_a_reaction_and_a_reply_show_on_the_other_side(
    open_page: Open, alice: Person, bob: Person
) -> None:
    path = f"/c/{alice.direct_chat_with(bob)['id']}"
    hers, his = open_page(alice, path), open_page(bob, path)
    say(hers, "We won")
    choose(his, "We won", "🎉")
    chip = messages(hers).locator("[data-emoji]")
    expect(chip).to_have_text("🎉 1")
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(messages(his).locator("[data-emoji]")).to_have_text("🎉 2")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(messages(his).locator("[data-emoji]")).to_have_text("🎉 1")
    choose(his, "We won", "Reply")
    expect(his.locator("[data-context]")).to_contain_text("Replying to Alice: We won")
    say(his, "by how much?")
    expect(his.locator("[data-context]")).to_be_hidden()
    expect(messages(hers).nth(1).locator("[data-slot=reply]")).to_have_text("Alice We won")


@pytest.mark.embedded
def test_rows_answer_to_keys(open_page: Open, alice: Person, bob: Person) -> None:
    chat = alice.direct_chat_with(bob)
    for text in ("first", "second"):
        alice.says(chat, text)
    page = open_page(alice, f"/c/{chat['id']}")
    page.wait_for_load_state("networkidle")  # the menu's module comes after the others
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(messages(page).first).to_be_focused()
    expect(messages(page).first).to_have_attribute("aria-label", re.compile("Alice, .*, first"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu", name="Message")).to_be_visible()
    page.keyboard.press("Escape")
    expect(messages(page).first).to_be_focused()
    page.keyboard.press("r")
    expect(page.locator("[data-context]")).to_contain_text("first")
    expect(field(page)).to_be_focused()


def test_thirty_messages_in_a_row_arrive_once_each_and_in_order(
    open_page: Open, alice: Person, bob: Person
) -> None:
    path = f"/c/{alice.direct_chat_with(bob)['id']}"
    hers, his = open_page(alice, path), open_page(bob, path)
    for number in range(30):
        field(hers).press_sequentially(f"n{number}")
        field(hers).press("Enter")
    expected = [f"n{number}" for number in range(30)]
    expect(texts(his)).to_have_text(expected)
    expect(texts(hers)).to_have_text(expected)
    expect(hers.locator(".is-pending")).to_have_count(0)


def test_a_removed_member_is_led_away(
    open_page: Open, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    his = open_page(bob, f"/c/{group['id']}")
    expect(chat_row(his, group)).to_be_visible()
    expect_error(his, "status of 404")  # he may be asking just then who has read
    alice.rest.delete(f"/chats/{group['id']}/members/{bob.id}").raise_for_status()
    expect(his).to_have_url(re.compile(r"/$"))
    expect(chat_row(his, group)).to_have_count(0)


def test_a_new_chat_and_a_new_name_appear_in_the_list(
    open_page: Open, alice: Person, bob: Person
) -> None:
    his = open_page(bob, "/")
    chat = alice.group_with(bob, name="Crew")
    expect(chat_row(his, chat)).to_contain_text("Crew")
    chat_row(his, chat).click()
    expect(his).to_have_url(re.compile(chat["id"]))
    alice.rest.patch(f"/chats/{chat['id']}", json={"name": "Eight"}).raise_for_status()
    expect(his.locator("h2[data-chat-title]")).to_have_text("Eight")
    expect(his).to_have_title("Eight · Chat")


def test_a_message_sent_while_the_server_is_away_arrives_once(
    open_page: Open, own_server: Server
) -> None:
    chat, headers = _two_who_know_each_other(own_server)
    page = open_page(None, f"{own_server.url}/login?next=/c/{chat}")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(field(page)).to_be_focused()
    say(page, "before")
    expect(page.locator(".is-pending")).to_have_count(0)
    expect(messages(page)).to_have_count(1)
    own_server.stop()
    say(page, "meanwhile")
    say(page, "meanwhile, too")
    expect(page.locator("[data-slot=state]").last).to_have_text("Waiting to send")
    expect(page.locator("[data-banner]")).to_contain_text("Reconnecting…")
    own_server.start()
    expect(page.locator(".is-pending")).to_have_count(0, timeout=20_000)
    expect(texts(page)).to_have_text(["before", "meanwhile", "meanwhile, too"])
    stored = httpx.get(f"{own_server.url}/chats/{chat}/messages", headers=headers).json()
    said = [message["content"] for message in stored["results"]]
    assert said == ["before", "meanwhile", "meanwhile, too"]
    page.context.close()
    expect_error(page, "ERR_CONNECTION_REFUSED")


@pytest.mark.embedded
def test_what_is_not_sent_and_not_yet_written_outlives_a_reload(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    page.route_web_socket("**/ws", lambda ws: ws.close())
    page.reload()
    say(page, "still mine")
    field(page).press_sequentially("half a")
    page.wait_for_timeout(400)
    page.reload()
    expect(messages(page)).to_have_text(re.compile("still mine"))
    expect(field(page)).to_have_value("half a")
    expect(page.locator(".is-pending")).to_have_count(1)


@pytest.mark.embedded
def test_a_refused_message_says_why_and_can_be_deleted(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    page.evaluate("document.querySelector('textarea').value = 'x'.repeat(9_999) + '\\0'")
    field(page).press("Enter")
    state = page.locator(".is-failed [data-slot=state]")
    expect(state).to_contain_text("Not sent. ")
    say(page, "goes on")
    expect(page.locator(".is-pending:not(.is-failed)")).to_have_count(0)
    state.get_by_role("button", name="Try again").click()
    expect(state).to_contain_text("Not sent. ")
    state.get_by_role("button", name="Delete").click()
    expect(messages(page)).to_have_count(1)


def _two_who_know_each_other(server: Server) -> tuple[str, dict[str, str]]:
    """The id of their chat, and the headers of the second."""
    users = []
    for name in ("alice", "bob"):
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        users.append(httpx.post(f"{server.url}/auth/register", json=body).json())
    headers = {"Authorization": f"Bearer {users[1]['access']}"}
    body = {"type": "direct", "members": [users[0]["user"]["id"]]}
    chat = httpx.post(f"{server.url}/chats", json=body, headers=headers).json()
    return chat["id"], headers


@pytest.mark.embedded
def test_now_becomes_a_time_and_today_yesterday_while_nothing_happens(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    noon = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
    page = open_page(bob, f"/c/{chat['id']}", timezone_id=noon)
    page.clock.install()
    page.reload()
    alice.says(chat, "Hello")
    expect(texts(page)).to_have_text(["Hello"])
    row, day = chat_row(page, chat).locator("time"), page.locator(".day")
    expect(row).to_have_text("now")
    page.clock.fast_forward(30_000)
    expect(row).to_have_text("now")
    page.clock.fast_forward(40_000)
    expect(row).to_have_text(re.compile(r"^\d+:\d\d"))
    expect(day).to_have_text("Today")
    page.clock.fast_forward(24 * 3_600_000)
    expect(row).to_have_text("Yesterday")
    expect(day).to_have_text("Yesterday")


@pytest.mark.embedded
def test_a_page_of_before_a_restore_loads_anew(open_page: Open, alice: Person, bob: Person) -> None:
    chat = alice.direct_chat_with(bob)
    page, cut = open_page(alice, f"/c/{chat['id']}"), [True]
    page.route_web_socket("**/ws", lambda ws: ws.close() if cut else ws.connect_to_server())
    page.reload()
    field(page).press_sequentially("half a")
    page.wait_for_timeout(600)  # drafts are kept in a moment
    page.evaluate("document.body.dataset.isOfBefore = ''")
    Installation.objects.update(epoch=new_id())
    cut.clear()
    expect(page.locator("[data-is-of-before]")).to_have_count(0)
    expect(field(page)).to_have_value("half a")
    bob.says(chat, "Here again")
    expect(texts(page)).to_have_text(["Here again"])
