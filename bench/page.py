"""How fast the page is: ``bin/measure-page`` starts it, and prints a table.

A real server on an installation of its own, and Chromium, both on this machine. What a reader
waits for is measured in the page, from the event that they made until the frame that shows it.
"""

import logging
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import django
from django.core.management import call_command
from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from chatproject.testing import CHROMIUM, Person, Server
from chatproject.testing.cast import fill, web_session
from chatproject.testing.stage import prepare

SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 204_800,
    "uploadThroughput": 92_160,
}
"""1.6 and 0.72 Mbit/s, in bytes; the latency in ms."""
SLOWER = 4
"""How many times slower the processor is where the brief says "4× CPU"."""
STARTS = 7
LONG = 10_000
INSIDE = Path(__file__).with_name("page.js")


class Row(NamedTuple):
    name: str
    found: str
    budget: str


def percentile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


class Measurer:
    """Two people, fifty chats, and one chat of ten thousand messages."""

    def __init__(self, server: Server, browser: Browser) -> None:
        self.server, self.browser = server, browser
        self.ana, self.ben = Person(server, "ana"), Person(server, "ben")
        self.chats = [self.ana.group_with(self.ben, name=f"Boathouse {n}") for n in range(1, 50)]
        for chat in self.chats:
            fill(chat, 60, self.ana, self.ben, read_by=self.ben)
        self.long = self.ana.direct_chat_with(self.ben)
        fill(self.long, LONG, self.ana, self.ben, read_by=self.ben)

    @contextmanager
    def page(
        self, who: Person, path: str, *, slower: int = 1, is_far: bool = False
    ) -> Iterator[Page]:
        """A browser that has never been here, with a chat open and quiet."""
        context = self.browser.new_context(
            base_url=self.server.url, viewport={"width": 1280, "height": 800}
        )
        context.add_cookies(
            [{"name": "sessionid", "value": web_session(who), "url": self.server.url}]
        )
        context.add_init_script(path=INSIDE)
        page = context.new_page()
        cdp = context.new_cdp_session(page)
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": slower})
        if is_far:
            cdp.send("Network.enable")
            cdp.send("Network.emulateNetworkConditions", SLOW_4G)
        page.goto(path, wait_until="networkidle")
        page.wait_for_timeout(1_000)
        yield page
        context.close()

    # Beginning

    def begins(self) -> Iterator[Row]:
        path = f"/c/{self.long['id']}"
        plans: list[tuple[str, str, dict[str, Any]]] = [
            ("LCP", "1.0 s", {}),
            (f"LCP, slow 4G and {SLOWER}× CPU", "2.0 s", {"slower": SLOWER, "is_far": True}),
        ]
        for name, budget, options in plans:
            with self.page(self.ben, path, **options) as page:
                found = page.evaluate("() => [found.paints.at(-1), found.shifts]")
                yield Row(name, f"{found[0] / 1000:.2f} s", budget)
                yield Row(f"CLS ({name})", f"{found[1]:.3f}", "0.02")
        starts = [self._start(path) for _ in range(STARTS)]
        blocked, longest = (statistics.median(one) for one in zip(*starts, strict=True))
        yield Row(f"TBT at {SLOWER}× CPU, median of {STARTS}", f"{blocked:.0f} ms", "100 ms")
        yield Row(
            f"Longest task at the start, {SLOWER}× CPU, median of {STARTS}",
            f"{longest:.0f} ms",
            "80 ms",
        )

    def _start(self, path: str) -> tuple[float, float]:
        """Milliseconds blocked, and of the longest task, once something shows; as in Lighthouse."""
        with self.page(self.ben, path, slower=SLOWER) as page:
            drawn, tasks = page.evaluate("() => [found.drawn, found.tasks]")
        after = [max(0, began + took - max(began, drawn)) for began, took in tasks]
        return sum(max(0, took - 50) for took in after), max(after, default=0)

    # Using

    def answers(self) -> Iterator[Row]:
        with self.page(self.ben, f"/c/{self.long['id']}", slower=SLOWER) as page:
            for act in (self._type, self._open_menu, self._open_palette, self._switch, self._type):
                act(page)
            events: list[float] = page.evaluate("() => [...found.events.values()]")
        yield Row(f"INP p75, {SLOWER}× CPU", f"{percentile(events, 0.75):.0f} ms", "100 ms")
        yield Row(f"INP worst, {SLOWER}× CPU", f"{max(events):.0f} ms", "200 ms")

    def _type(self, page: Page) -> None:
        page.locator("[data-composer] textarea").press_sequentially("how fast is this", delay=40)
        page.keyboard.press("Enter")
        expect(page.locator(".is-pending")).to_have_count(0)

    def _open_menu(self, page: Page) -> None:
        page.locator(".message").last.hover()
        page.get_by_role("button", name="More", exact=True).click()
        page.keyboard.press("Escape")

    def _open_palette(self, page: Page) -> None:
        page.keyboard.press("Control+k")
        page.keyboard.type("boat", delay=60)
        page.wait_for_timeout(500)
        page.keyboard.press("Escape")

    def _switch(self, page: Page) -> None:
        for chat in [*self.chats[-3:], self.chats[-1]]:
            self._open(page, chat)

    def _open(self, page: Page, chat: dict[str, Any]) -> float:
        """Milliseconds from the click until the other chat's messages are painted."""
        page.evaluate("name => found.awaitChat(name)", chat["name"])
        page.locator(f'[data-chat-id="{chat["id"]}"] a').click()
        took: float = page.evaluate("() => found.opened")
        page.wait_for_timeout(200)
        return took

    def switches(self) -> Iterator[Row]:
        with self.page(self.ben, f"/c/{self.chats[0]['id']}") as page:
            some = self.chats[1:11]
            fresh = [self._open(page, chat) for chat in some]
            again = [self._open(page, chat) for chat in some]
        yield Row(
            "Switch to a chat not seen before, median",
            f"{statistics.median(fresh):.0f} ms",
            "400 ms",
        )
        yield Row(
            "Switch to one seen before, median", f"{statistics.median(again):.0f} ms", "100 ms"
        )

    def types(self) -> Iterator[Row]:
        """With three hundred rows on screen."""
        with self.page(self.ben, f"/c/{self.long['id']}") as page:
            self._grow(page)
            field = page.locator("[data-composer] textarea")
            field.focus()
            page.evaluate("() => { found.taps = [] }")
            field.press_sequentially("the quick brown fox jumps over the lazy dog", delay=30)
            keys: list[float] = page.evaluate("() => found.taps")
            sent = []
            for number in range(10):
                field.fill(f"number {number}")
                page.evaluate("() => { found.taps = [] }")
                page.keyboard.press("Enter")
                page.wait_for_timeout(300)
                sent.append(page.evaluate("() => found.taps")[0])
        yield Row("Key → glyph, 300 rows, p95", f"{percentile(keys, 0.95):.0f} ms", "32 ms")
        yield Row("Enter → own row, 300 rows, median", f"{statistics.median(sent):.0f} ms", "50 ms")

    def _grow(self, page: Page) -> None:
        for _ in range(40):
            page.evaluate("() => { document.querySelector('[data-timeline]').scrollTop = 200 }")
            page.wait_for_timeout(50)
            if page.locator(".message").count() >= 280:
                break

    def delivers(self) -> Iterator[Row]:
        path = f"/c/{self.chats[0]['id']}"
        with self.page(self.ana, path) as hers, self.page(self.ben, path) as his:
            his.evaluate(
                """() => new MutationObserver(() => requestAnimationFrame(() =>
                    found.seen.push(performance.timeOrigin + performance.now())))
                    .observe(document.querySelector("[data-messages]"), {childList: true})"""
            )
            took = []
            for number in range(40):
                hers.locator("[data-composer] textarea").fill(f"message {number}")
                his.evaluate("() => { found.seen = [] }")
                began = self._press(hers)
                his.wait_for_timeout(150)
                took.append(his.evaluate("() => found.seen[0]") - began)
        yield Row("Sent → shown to another, median", f"{statistics.median(took):.0f} ms", "150 ms")
        yield Row("Sent → shown to another, p95", f"{percentile(took, 0.95):.0f} ms", "400 ms")

    def _press(self, page: Page) -> float:
        page.evaluate(
            """() => addEventListener("keydown", ({timeStamp}) =>
                (found.began = performance.timeOrigin + timeStamp), {capture: true, once: true})"""
        )
        page.keyboard.press("Enter")
        began: float = page.evaluate("() => found.began")
        return began

    # A long way

    def travels(self) -> Iterator[Row]:
        """The whole way up and down, faster than anybody reads; and ten seconds of a quick one."""
        with self.page(self.ben, f"/c/{self.long['id']}") as page:
            cdp = page.context.new_cdp_session(page)
            before = heap(cdp)
            up = page.evaluate("way => found.travel(way)", [-400, LONG])
            down = page.evaluate("way => found.travel(way)", [400, LONG])
            grown = heap(cdp) - before
            quick = page.evaluate("way => found.travel(way)", [-100, 600])["frames"]
        ways = f"{up['first']}, {down['last']}"
        yield Row(f"{LONG} messages, 24,000 px a second: from, to", ways, f"1, {LONG}")
        yield Row("Most rows", f"{max(up['rows'], down['rows'])}", "300")
        yield Row("Heap after that", f"+{grown / 2**20:.1f} MB", "40 MB")
        yield from _frames([*up["frames"], *down["frames"]], "at that speed")
        yield from _frames(quick, "at 6,000 px a second")


def _frames(frames: list[float], when: str) -> Iterator[Row]:
    yield Row(f"Frames {when}, p95", f"{percentile(frames, 0.95):.0f} ms", "20 ms")
    yield Row("Frames over 50 ms", f"{sum(frame > 50 for frame in frames)} of {len(frames)}", "0")


def heap(cdp: CDPSession) -> int:
    cdp.send("HeapProfiler.collectGarbage")
    return int(cdp.send("Runtime.getHeapUsage")["usedSize"])


def measure(server: Server, wanted: list[str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        measurer = Measurer(server, browser)
        parts: list[Callable[[], Iterator[Row]]] = [
            measurer.begins,
            measurer.answers,
            measurer.switches,
            measurer.types,
            measurer.delivers,
            measurer.travels,
        ]
        print("| What | Found | Budget |\n|---|---|---|")
        for part in parts:
            if not wanted or part.__name__ in wanted:
                for row in part():
                    print(f"| {row.name} | {row.found} | {row.budget} |", flush=True)
        browser.close()


if __name__ == "__main__":
    logging.disable(logging.INFO)
    prepare()
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    server = Server()
    server.start()
    try:
        measure(server, sys.argv[1:])
    finally:
        server.stop()
