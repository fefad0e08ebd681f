"""What the page may cost: a busy chat, opened by a browser that has never been here."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page

from chatproject.testing import Person, Server
from chatproject.testing.cast import web_session

pytestmark = pytest.mark.embedded

KB = 1024
MESSAGES = CHATS = 50

# What came before the page could be used, with its size on the wire.
FILES = """() => ["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
    .filter(({startTime}, _, [page]) => startTime <= page.loadEventStart)
    .map(({name, encodedBodySize}) => [name, encodedBodySize])"""
# How far, when, and what moved from where to where.
SHIFTS = """() => new Promise(done => {
    const place = ({x, y, width, height}) => [x, y, width, height];
    const named = ({node, previousRect, currentRect}) =>
        [node?.outerHTML?.slice(0, 80), place(previousRect), place(currentRect)];
    new PerformanceObserver(list => done(list.getEntries().map(
        ({value, startTime, sources}) => [value, startTime, sources.map(named)])))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(done, 500, []);
})"""


class Load(NamedTuple):
    """A cold load: what was asked for, what came, and what the browser said about it."""

    page: Page
    requests: list[str]
    lines: list[str]
    files: list[tuple[str, int]]

    def kilobytes(self, ending: str) -> float:
        """More than nothing, or a cache would have answered."""
        total = sum(size for name, size in self.files if name.endswith(ending))
        assert total
        return total / KB


@pytest.fixture
def load(browser: Any, server: Server, alice: Person, bob: Person) -> Iterator[Load]:
    context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": web_session(bob), "url": server.url}])
    page = context.new_page()
    requests: list[str] = []
    lines: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda line: lines.append(line.text))
    page.on("pageerror", lambda error: lines.append(str(error)))
    page.goto(_busy_chat(alice, bob), wait_until="networkidle")
    yield Load(page, requests, lines, page.evaluate(FILES))
    context.close()


def _busy_chat(alice: Person, bob: Person) -> str:
    for number in range(1, CHATS):
        alice.says(alice.group_with(bob, name=f"Boathouse {number}"), "Who has the spare key?")
    chat = alice.group_with(bob)
    for number in range(MESSAGES):
        who = bob if number % 3 else alice
        who.says(chat, f"{number}: the lake is flat, and the forecast **holds** until Saturday.")
    bob.rest.post(f"/chats/{chat['id']}/read", json={"seq": MESSAGES + 1}).raise_for_status()
    return f"/c/{chat['id']}"


def test_a_cold_load_keeps_to_its_budgets(load: Load, server: Server) -> None:
    assert load.page.locator(".message").count() == MESSAGES
    assert load.page.locator(".chat-row").count() == CHATS
    assert [url for url in load.requests if not url.startswith(server.url)] == []
    assert len(load.files) <= 14, load.files
    assert load.kilobytes(".js") <= 45
    assert load.kilobytes(".css") <= 14
    assert load.kilobytes(load.page.url) <= 35
    shifts = load.page.evaluate(SHIFTS)
    assert sum(value for value, *_ in shifts) <= 0.02, shifts
    assert load.lines == []
