"""Nothing that somebody writes is lost, sent twice, or sent as somebody else."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from chatproject.testing import CHROMIUM, PASSWORD, Newcomer, Proxy, Server

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]
SOON = 30_000
"""The longest that coming back may take, on a busy machine."""

Open = Callable[..., Page]
Chat = dict[str, Any]


@pytest.fixture
def ana(far_person: Callable[[str], Newcomer]) -> Newcomer:
    return far_person("ana")


@pytest.fixture
def ben(far_person: Callable[[str], Newcomer]) -> Newcomer:
    return far_person("ben")


@pytest.fixture
def chat(ana: Newcomer, ben: Newcomer) -> Chat:
    return ana.group_with(ben)


@pytest.fixture
def open_far(browser: Any, proxy: Proxy) -> Iterator[Open]:
    """Opens a page beyond the proxy: in a browser of its own, or in a given one."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_one(who: Newcomer | None, path: str, context: Any = None, script: str = "") -> Page:
        if context is None:
            context = browser.new_context(base_url=proxy.url, service_workers="block")
        contexts.append(context)
        page: Page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(script)
        if who:
            log_in(page, who, path)
        else:
            page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


def log_in(page: Page, who: Newcomer, path: str) -> None:
    page.goto(f"/login?next={path}")
    page.get_by_label("Username or email").fill(who.username)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{path}")


def path_of(chat: Chat) -> str:
    return f"/c/{chat['id']}"


def field(page: Page) -> Locator:
    return page.locator("[data-composer] textarea")


def say(page: Page, text: str) -> None:
    field(page).fill(text)
    field(page).press("Enter")


def texts(page: Page) -> Locator:
    region = page.get_by_role("region", name="Messages")
    return region.locator(".message:not([data-kind=system]) [data-slot=html]")


def states(page: Page) -> Locator:
    return page.locator(".message [data-slot=state]")


def pending(page: Page) -> Locator:
    return page.locator(".message.is-pending")


def banner(page: Page) -> Locator:
    return page.locator("[data-banner]")


def stored(who: Newcomer, chat: Chat) -> list[str]:
    results = who.rest.get(f"/chats/{chat['id']}/messages?limit=100").json()["results"]
    return [one["content"] for one in results if one["message_type"] != "system"]


def expect_stored(page: Page, who: Newcomer, chat: Chat, wanted: list[str]) -> None:
    """Exactly these, in this order, and the page shows them so, too."""
    deadline = time.monotonic() + SOON / 1000
    while len(stored(who, chat)) < len(wanted) and time.monotonic() < deadline:
        page.wait_for_timeout(100)
    assert stored(who, chat) == wanted
    expect(pending(page)).to_have_count(0, timeout=SOON)


class Line:
    """The sockets of a page, from its next load on: its pages come, whatever happens to them."""

    def __init__(self, page: Page) -> None:
        self.is_cut = True
        page.route_web_socket("**/ws", self._open)

    def _open(self, ws: Any) -> None:
        if self.is_cut:
            ws.close()
        else:
            ws.connect_to_server()


def drafts_are_kept(page: Page) -> None:
    page.wait_for_timeout(600)


def test_what_is_sent_while_the_server_is_away_outlives_a_reload_and_arrives_in_order(
    open_far: Open, proxy: Proxy, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    say(page, "before")
    expect_stored(page, ana, chat, ["before"])
    line = Line(page)
    page.reload()
    for text in ("one", "two", "three"):
        say(page, text)
    expect(states(page).last).to_contain_text("Waiting to send")
    page.reload()
    expect(texts(page)).to_have_text(["before", "one", "two", "three"])
    expect(states(page).last).to_contain_text("Waiting to send")
    line.is_cut = False
    page.reload()
    expect_stored(page, ana, chat, ["before", "one", "two", "three"])


def test_a_cut_connection_is_said_after_three_seconds_and_mended_at_a_press(
    open_far: Open, proxy: Proxy, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    say(page, "before")
    expect_stored(page, ana, chat, ["before"])
    proxy.cut()
    say(page, "meanwhile")
    expect(states(page).last).to_contain_text("Waiting to send")
    expect(banner(page)).to_be_hidden()
    expect(banner(page)).to_contain_text("Reconnecting…", timeout=SOON)
    button = page.get_by_role("button", name="Try now")
    expect(button).to_be_visible(timeout=SOON)
    expect(banner(page)).to_contain_text("We couldn't reach the server. Trying again in")
    expect(page.locator("[data-connection]").first).to_have_text("Offline")
    button.click()
    expect(banner(page)).to_be_visible()
    proxy.mend()
    expect(button).to_be_visible(timeout=SOON)
    button.click()
    expect(banner(page)).to_contain_text("Back online")
    expect(banner(page)).to_be_hidden()
    expect_stored(page, ana, chat, ["before", "meanwhile"])


def test_a_short_absence_is_not_spoken_of(
    open_far: Open, proxy: Proxy, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    say(page, "one")
    expect_stored(page, ana, chat, ["one"])
    page.evaluate(
        """() => {
            const banner = document.querySelector('[data-banner]');
            globalThis.seen = [];
            const note = () => banner.hidden || seen.push(banner.textContent);
            const all = {attributes: true, childList: true, subtree: true};
            new MutationObserver(note).observe(banner, all);
        }"""
    )
    proxy.break_all()
    say(page, "two")
    expect_stored(page, ana, chat, ["one", "two"])
    assert page.evaluate("seen") == []


def test_a_browser_without_a_network_says_so_and_tries_as_soon_as_it_is_back(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    say(page, "one")
    expect_stored(page, ana, chat, ["one"])
    page.context.set_offline(True)
    expect(banner(page)).to_contain_text("You're offline. Messages will send", timeout=SOON)
    say(page, "two")
    expect(states(page).last).to_contain_text("Waiting to send")
    page.wait_for_timeout(8_000)  # by now it waits some seconds from try to try
    page.context.set_offline(False)
    expect(pending(page)).to_have_count(0, timeout=3_000)
    assert stored(ana, chat) == ["one", "two"]


def test_what_waits_outlives_the_browser(
    open_far: Open,
    browser: Any,
    proxy: Proxy,
    far_server: Server,
    ana: Newcomer,
    chat: Chat,
    tmp_path: Path,
) -> None:
    def start() -> BrowserContext:
        context: BrowserContext = browser.browser_type.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu"],
            base_url=proxy.url,
            service_workers="block",
        )
        return context

    first = start()
    page = open_far(ana, path_of(chat), first)
    expect(field(page)).to_be_focused()
    proxy.cut()
    say(page, "before the browser ended")
    field(page).press_sequentially("half a")
    expect(states(page).last).to_contain_text("Waiting to send")
    drafts_are_kept(page)
    first.close()
    proxy.mend()
    page = open_far(None, path_of(chat), start())
    expect_stored(page, ana, chat, ["before the browser ended"])
    expect(field(page)).to_have_value("half a")


def test_an_answer_that_is_lost_makes_one_message_not_two(
    open_far: Open, proxy: Proxy, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    say(page, "before")
    expect_stored(page, ana, chat, ["before"])
    proxy.loses_answers = True
    say(page, "once")
    deadline = time.monotonic() + 10
    while stored(ana, chat) != ["before", "once"] and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    expect(pending(page)).to_have_count(1)
    proxy.cut()
    proxy.mend()
    expect_stored(page, ana, chat, ["before", "once"])
    expect(texts(page)).to_have_text(["before", "once"])


def test_thirty_messages_over_a_line_that_breaks_arrive_once_each_and_in_order(
    open_far: Open, proxy: Proxy, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    hers, his = open_far(ana, path_of(chat)), open_far(ben, path_of(chat))
    expect(field(hers)).to_be_focused()
    for number in range(30):
        field(hers).press_sequentially(f"n{number}")
        field(hers).press("Enter")
        if number in (7, 15):
            proxy.break_all()
        elif number == 20:
            proxy.cut()
        elif number == 25:
            proxy.mend()
    wanted = [f"n{number}" for number in range(30)]
    expect_stored(hers, ana, chat, wanted)
    expect(texts(hers)).to_have_text(wanted)
    expect(texts(his)).to_have_text(wanted, timeout=SOON)


def test_a_slow_line_shows_a_clock_then_that_it_waits(
    open_far: Open, proxy: Proxy, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    say(page, "before")
    expect_stored(page, ana, chat, ["before"])
    proxy.delay = 7
    say(page, "slow")
    assert states(page).last.is_hidden()
    expect(states(page).last.locator(".icon")).to_be_visible()
    expect(states(page).last).to_have_text("Sending")
    expect(states(page).last).to_have_text("Waiting to send", timeout=6_000)
    proxy.delay = 0
    expect_stored(page, ana, chat, ["before", "slow"])
    expect(states(page).last).to_be_hidden()


def test_a_draft_and_its_reply_outlive_another_chat_and_a_reload(
    open_far: Open, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    ben.says(chat, "Who brings the oars?")
    other = ana.group_with(ben, name="Other")
    page = open_far(ana, path_of(chat))
    texts(page).first.hover()
    page.get_by_role("button", name="Reply").first.click()
    field(page).press_sequentially("I do, and")
    row = page.locator(f'[data-chat-id="{other["id"]}"]')
    row.click()
    expect(field(page)).to_have_value("")
    expect(page.locator(f'[data-chat-id="{chat["id"]}"]')).to_contain_text("Draft: I do, and")
    drafts_are_kept(page)
    page.reload()
    expect(page.locator(f'[data-chat-id="{chat["id"]}"]')).to_contain_text("Draft: I do, and")
    page.locator(f'[data-chat-id="{chat["id"]}"]').click()
    expect(field(page)).to_have_value("I do, and")
    expect(page.locator("[data-context]")).to_contain_text("Replying to ben")
    field(page).press_sequentially(" the boat")
    field(page).press("Enter")
    expect_stored(page, ana, chat, ["Who brings the oars?", "I do, and the boat"])
    results = ana.rest.get(f"/chats/{chat['id']}/messages").json()["results"]
    assert results[-1]["reply_to"] == results[-2]["id"]
    page.reload()
    expect(field(page)).to_have_value("")
    expect(page.locator("[data-context]")).to_be_hidden()


OPENS_TOO_LATE = """
    const never = { set() {} };
    if (!sessionStorage.once) Object.defineProperty(IDBRequest.prototype, "onsuccess", never);
    sessionStorage.once = "yes";
"""


def test_what_is_written_before_storage_has_opened_outlives_the_page(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    page.context.add_init_script(OPENS_TOO_LATE)
    page.reload()
    field(page).press_sequentially("sent")
    field(page).press("Enter")
    field(page).press_sequentially("typed")
    page.reload()
    expect(field(page)).to_have_value("typed")
    expect_stored(page, ana, chat, ["sent"])
    page.reload()
    expect(field(page)).to_have_value("typed")


def test_two_tabs_that_go_before_storage_has_opened_both_leave_what_they_held(
    open_far: Open, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    other = ana.group_with(ben, name="Other")
    first = open_far(ana, path_of(other))
    first.context.add_init_script(OPENS_TOO_LATE)
    tabs = [first, first.context.new_page()]
    for tab, path, text in zip(
        tabs, [path_of(chat), path_of(other)], ["here", "there"], strict=True
    ):
        tab.goto(path)
        field(tab).press_sequentially(text)
    for tab in tabs:
        tab.goto("/settings")
    first.goto(path_of(chat))
    expect(field(first)).to_have_value("here")
    expect(first.locator(f'[data-chat-id="{other["id"]}"]')).to_contain_text("Draft: there")


def test_what_is_typed_last_before_one_goes_is_kept(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    typed = ""
    for word in ("some", "more", "words"):
        expect(field(page)).to_have_value(typed)
        field(page).focus()
        page.keyboard.press("Control+End")
        page.keyboard.type(word)
        typed += word
        page.reload()
    expect(field(page)).to_have_value(typed)
    page.keyboard.type("!")
    page.goto("/settings")
    page.goto(path_of(chat))
    expect(field(page)).to_have_value(f"{typed}!")


def test_an_edit_leaves_the_draft_alone_and_outlives_a_reload(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    ana.says(chat, "Fvie")
    page = open_far(ana, path_of(chat))
    field(page).press_sequentially("a new one")
    texts(page).first.hover()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit").click()
    field(page).fill("Five minutes")
    drafts_are_kept(page)
    page.reload()
    expect(page.locator("[data-context]")).to_contain_text("Editing")
    expect(field(page)).to_have_value("Five minutes")
    field(page).press("Enter")
    expect(texts(page)).to_have_text(["Five minutes"])
    expect(field(page)).to_have_value("a new one")
    drafts_are_kept(page)
    page.reload()
    expect(field(page)).to_have_value("a new one")
    expect(page.locator("[data-context]")).to_be_hidden()


@pytest.mark.parametrize("script", ["", "delete Navigator.prototype.locks"])
def test_what_one_tab_sends_the_other_shows_as_sent(
    open_far: Open, proxy: Proxy, ana: Newcomer, chat: Chat, script: str
) -> None:
    first = open_far(ana, path_of(chat), script=script)
    second = open_far(None, path_of(chat), first.context, script=script)
    say(first, "before")
    for page in (first, second):
        expect_stored(page, ana, chat, ["before"])
    sent: list[str] = []
    for page in (first, second):
        page.on("websocket", lambda ws: ws.on("framesent", lambda frame: sent.append(str(frame))))
    proxy.cut()
    say(first, "of the first")
    expect(texts(second)).to_have_text(["before", "of the first"])
    expect(states(second).last).to_contain_text("Waiting to send")
    say(second, "of the second")
    expect(texts(first)).to_have_text(["before", "of the first", "of the second"])
    sent.clear()
    proxy.mend()
    wanted = ["before", "of the first", "of the second"]
    for page in (first, second):
        expect_stored(page, ana, chat, wanted)
        expect(texts(page)).to_have_text(wanted)
    if not script:
        sends = [json.loads(frame) for frame in sent if "message.send" in frame]
        assert sorted(frame["content"] for frame in sends) == wanted[1:]


def test_another_tab_does_not_wipe_a_draft(
    open_far: Open, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    other = ana.group_with(ben, name="Other")
    first = open_far(ana, path_of(chat))
    second = open_far(None, path_of(chat), first.context)
    field(first).press_sequentially("mine")
    drafts_are_kept(first)
    second.locator(f'[data-chat-id="{other["id"]}"]').click()
    second.close()
    drafts_are_kept(first)
    third = open_far(None, path_of(chat), first.context)
    expect(field(third)).to_have_value("mine")


NO_STORAGE = "Object.defineProperty(globalThis, 'indexedDB', {get() { throw new Error('no'); }})"
BROKEN_STORAGE = """
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function (...all) {
        const request = put.apply(this, all);
        this.transaction.abort();
        return request;
    };
"""


@pytest.mark.parametrize("script", [NO_STORAGE, BROKEN_STORAGE], ids=["none", "full"])
def test_without_storage_all_is_kept_as_long_as_the_page_lives(
    open_far: Open, proxy: Proxy, ana: Newcomer, ben: Newcomer, chat: Chat, script: str
) -> None:
    other = ana.group_with(ben, name="Other")
    page = open_far(ana, path_of(chat), script=script)
    say(page, "one")
    expect_stored(page, ana, chat, ["one"])
    proxy.cut()
    say(page, "two")
    field(page).press_sequentially("half")
    page.locator(f'[data-chat-id="{other["id"]}"]').click()
    page.locator(f'[data-chat-id="{chat["id"]}"]').click()
    expect(field(page)).to_have_value("half")
    proxy.mend()
    expect_stored(page, ana, chat, ["one", "two"])


def test_what_waits_for_a_chat_that_one_was_removed_from_can_be_copied_and_deleted(
    open_far: Open, proxy: Proxy, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    his = open_far(ben, path_of(chat))
    his.context.grant_permissions(["clipboard-read", "clipboard-write"])
    say(his, "before")
    expect_stored(his, ben, chat, ["before"])
    proxy.cut()
    say(his, "a long thought")
    field(his).press_sequentially("and another")
    drafts_are_kept(his)
    ana.rest.delete(f"/chats/{chat['id']}/members/{ben.id}").raise_for_status()
    proxy.mend()
    expect(his).to_have_url(re.compile(r"/$"), timeout=SOON)
    row = his.get_by_role("button", name="Not sent")
    expect(row).to_contain_text("2")
    row.click()
    dialog = his.get_by_role("dialog", name="Not sent")
    parts = dialog.locator(".unsent")
    expect(parts.first).to_contain_text("Regatta weekend")
    expect(parts.first).to_contain_text("You're no longer in this chat.")
    expect(parts).to_contain_text(["a long thought", "and another"])
    parts.first.get_by_role("button", name="Copy").click()
    expect(parts.first.get_by_role("button", name="Copied")).to_be_visible()
    assert his.evaluate("navigator.clipboard.readText()") == "a long thought"
    his.reload()
    row.click()
    for _ in range(2):
        parts.first.get_by_role("button", name="Delete").click()
    expect(dialog).to_be_hidden()
    expect(row).to_be_hidden()
    his.reload()
    expect(row).to_be_hidden()
    assert stored(ana, chat) == ["before"]


def test_a_refused_message_is_copied_tried_again_and_deleted_and_later_ones_go_on(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    field(page).focus()
    page.evaluate("document.querySelector('textarea').value = 'odd\\0'")
    field(page).press("Enter")
    state = page.locator(".is-failed [data-slot=state]")
    expect(state).to_contain_text("Not sent. ")
    say(page, "goes on")
    expect(page.locator(".is-pending:not(.is-failed)")).to_have_count(0)
    assert stored(ana, chat) == ["goes on"]
    page.locator(".is-failed").hover()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Copy text").click()
    page.wait_for_timeout(500)
    assert page.evaluate("navigator.clipboard.readText()").startswith("odd")
    page.reload()
    state.get_by_role("button", name="Try again").click()
    expect(state).to_contain_text("Not sent. ")
    state.get_by_role("button", name="Delete").click()
    expect(pending(page)).to_have_count(0)
    page.reload()
    expect(texts(page)).to_have_text(["goes on"])


def test_what_waits_is_never_sent_as_somebody_else(
    open_far: Open, proxy: Proxy, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    expect(field(page)).to_be_focused()
    other = open_far(None, "/settings", page.context)
    line = Line(page)
    page.reload()
    say(page, "by Ana")
    field(page).press_sequentially("Ana's draft")
    drafts_are_kept(page)
    other.get_by_role("button", name="Log out").click()
    other.wait_for_url("**/login")
    log_in(other, ben, path_of(chat))
    line.is_cut = False
    page.evaluate("dispatchEvent(new Event('online'))")
    page.bring_to_front()
    # Her page finds out that he is there now, and becomes his.
    expect(page.locator("[data-connection]").first).to_have_text(f"@{ben.username}", timeout=SOON)
    expect(field(page)).to_have_value("")
    say(other, "by Ben")
    expect_stored(other, ben, chat, ["by Ben"])
    expect(pending(page)).to_have_count(0)
    page.goto("/settings")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    log_in(page, ana, path_of(chat))
    expect_stored(page, ana, chat, ["by Ben", "by Ana"])
    expect(field(page)).to_have_value("Ana's draft")
    results = ana.rest.get(f"/chats/{chat['id']}/messages").json()["results"]
    assert [one["sender_id"] for one in results[-2:]] == [ben.id, ana.id]


def test_a_session_that_ends_while_one_types_loses_nothing(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    field(page).press_sequentially("I was just going to")
    body = {"old_password": PASSWORD, "new_password": f"{PASSWORD} too"}
    ana.rest.post("/auth/password", json=body).raise_for_status()
    dialog = page.locator("[data-dialog=signed-out]")
    expect(dialog).to_be_visible(timeout=SOON)
    page.keyboard.press("Escape")
    expect(banner(page)).to_contain_text("You're signed out.")
    field(page).press_sequentially(" say")
    field(page).press("Enter")
    field(page).press_sequentially("more")
    expect(states(page).last).to_contain_text("Waiting to send")
    banner(page).get_by_role("button", name="Sign in").click()
    dialog.get_by_role("link", name="Sign in").click()
    page.get_by_label("Username or email").fill(ana.username)
    page.get_by_label("Password", exact=True).fill(f"{PASSWORD} too")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{path_of(chat)}")
    expect(field(page)).to_have_value("more")
    expect(pending(page)).to_have_count(0, timeout=SOON)
    expect(texts(page)).to_have_text(["I was just going to say"])


def test_a_clock_that_is_set_back_changes_no_order(
    open_far: Open, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    ben.says(chat, "now")
    page = open_far(ana, path_of(chat))
    line = Line(page)
    page.reload()
    say(page, "first")
    drafts_are_kept(page)
    page.add_init_script("const now = Date.now; Date.now = () => now() - 2 * 86_400_000;")
    page.reload()
    expect(texts(page)).to_have_text(["now", "first"])
    say(page, "second")
    expect(texts(page)).to_have_text(["now", "first", "second"])
    expect(page.locator(".day")).to_have_count(1)
    line.is_cut = False
    page.reload()
    expect_stored(page, ana, chat, ["now", "first", "second"])


def test_the_browser_is_asked_to_hold_on_to_what_was_written_once_there_is_some(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    count = "globalThis.asked = 0; StorageManager.prototype.persist = async () => { asked += 1 };"
    page = open_far(ana, path_of(chat), script=count)
    drafts_are_kept(page)
    assert page.evaluate("asked") == 0
    field(page).press_sequentially("half")
    drafts_are_kept(page)
    assert page.evaluate("asked") == 1
    say(page, "whole")
    expect_stored(page, ana, chat, ["whole"])
    assert page.evaluate("asked") == 1
    page.reload()
    say(page, "another")
    assert page.evaluate("asked") == 1


def test_the_button_says_why_there_is_nothing_to_send(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_far(ana, path_of(chat))
    button = page.get_by_role("button", name="Send")
    for text, reason in (("", "Write something first"), ("\u200b ", "Write something first")):
        field(page).fill(text)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("title", reason)
    button.focus()
    expect(button).to_be_focused()
    field(page).fill("x" * 10_001)
    expect(button).to_have_attribute("title", "Too long to send")
    field(page).fill("x")
    expect(button).to_have_attribute("aria-disabled", "false")


def test_typing_is_told_once_in_three_seconds_and_not_by_who_keeps_it_private(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    def typed(page: Page) -> list[str]:
        frames: list[str] = []
        page.on("websocket", lambda ws: ws.on("framesent", lambda one: frames.append(str(one))))
        page.reload()
        expect(field(page)).to_be_focused()
        page.wait_for_timeout(1_000)
        field(page).press_sequentially("hello there", delay=20)
        field(page).press("Enter")
        field(page).press_sequentially("you")
        field(page).fill("")
        page.wait_for_timeout(1_000)
        return [frame for frame in frames if '"typing"' in frame]

    page = open_far(ana, path_of(chat))
    assert len(typed(page)) == 1
    ana.rest.patch("/users/me", json={"settings": {"shows_typing": False}}).raise_for_status()
    assert typed(page) == []


def test_logging_out_clears_the_kept_chats_and_keeps_what_was_written(
    open_far: Open, ana: Newcomer, chat: Chat
) -> None:
    kept = """() => new Promise((resolve) => {
        indexedDB.open("chat").onsuccess = ({target: {result}}) => {
            const names = ["rooms", "drafts"];
            const asked = names.map((name) => result.transaction(name).objectStore(name).count());
            asked[1].onsuccess = () => resolve(asked.map((one) => one.result));
        };
    })"""
    ana.says(chat, "kept")
    page = open_far(ana, path_of(chat))
    field(page).press_sequentially("half")
    page.wait_for_timeout(4_000)
    assert page.evaluate(kept) == [1, 1]
    page.goto("/settings")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    assert page.evaluate(kept) == [0, 1]
