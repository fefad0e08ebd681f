"""The page without a connection: it opens, shows the last chats, and says so; and it is an app."""

import json
import re
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from chatproject.testing import CHROMIUM, Newcomer, Proxy, Server
from chatproject.testing.stage import ROOT
from messaging.templatetags.chat_tags import CORE_MODULES
from messaging.tests.test_page_outbox import (
    SOON,
    banner,
    expect_stored,
    field,
    log_in,
    path_of,
    pending,
    say,
    states,
    texts,
)

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(180)]

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
    made = ana.group_with(ben)
    ben.says(made, "Who brings the oars?")
    return made


@pytest.fixture
def open_installed(browser: Any, proxy: Proxy) -> Iterator[Open]:
    """Opens a page once its worker is there, and the page and its chat are kept."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_one(who: Newcomer, path: str) -> Page:
        context = browser.new_context(base_url=proxy.url)
        contexts.append(context)
        page: Page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        log_in(page, who, path)
        wait_until_kept(page)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


def wait_until_kept(page: Page) -> None:
    """The shell, by the worker; the open chat, two seconds after it was last changed."""
    page.wait_for_function(
        "async () => Boolean(await caches.match('/', {cacheName: 'pages', ignoreVary: true}))",
        timeout=SOON,
    )
    page.wait_for_timeout(2_500)


def kept_addresses(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """async () => {
            const paths = [];
            for (const name of await caches.keys()) {
                const requests = await (await caches.open(name)).keys();
                paths.push(...requests.map(({url}) => new URL(url).pathname));
            }
            return paths;
        }"""
    )
    return found


def test_the_page_opens_while_the_server_is_stopped_and_sends_when_it_is_back(
    open_installed: Open, far_server: Server, ana: Newcomer, chat: Chat
) -> None:
    page = open_installed(ana, path_of(chat))
    far_server.stop()
    began = time.monotonic()
    page.reload(wait_until="commit")
    expect(texts(page)).to_have_text(["Who brings the oars?"])
    assert time.monotonic() - began < 3  # 1 s where nothing else runs
    expect(banner(page)).to_be_visible(timeout=SOON)
    say(page, "I do")
    expect(states(page).last).to_contain_text("Waiting to send")
    page.reload()
    expect(texts(page)).to_have_text(["Who brings the oars?", "I do"])
    far_server.start()
    expect(banner(page)).to_be_hidden(timeout=SOON)
    expect_stored(page, ana, chat, ["Who brings the oars?", "I do"])


def test_chats_that_were_open_open_at_their_own_address_and_others_say_why_not(
    open_installed: Open, ana: Newcomer, ben: Newcomer, chat: Chat
) -> None:
    visited, unseen = (ana.group_with(ben, name=name) for name in ("Visited", "Unseen"))
    ben.says(visited, "in here")
    page = open_installed(ana, path_of(chat))
    page.locator(f'[data-chat-id="{visited["id"]}"]').click()
    expect(texts(page)).to_have_text(["in here"])
    ben.says(visited, "since the page came")
    expect(texts(page)).to_have_text(["in here", "since the page came"])
    page.locator(f'[data-chat-id="{chat["id"]}"]').click()
    page.context.set_offline(True)
    page.goto(path_of(visited))
    expect(texts(page)).to_have_text(["in here", "since the page came"])
    expect(page.locator("h2[data-chat-title]")).to_have_text("Visited")
    expect(banner(page)).to_contain_text("You're offline.", timeout=SOON)
    page.goto(path_of(chat))
    expect(texts(page)).to_have_text(["Who brings the oars?"])
    page.goto(path_of(unseen))
    expect(page.locator(".toast")).to_contain_text("could not be loaded")
    say(page, "for later")
    page.goto("/c/01a2055d-0000-7000-8000-000000000000")
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.locator(".toast [data-slot=text]")).to_have_text(
        "That chat is not kept in this browser."
    )
    page.goto("/settings")
    expect(page.get_by_role("heading", name="You're offline")).to_be_visible()
    page.context.set_offline(False)
    page.goto(path_of(unseen))
    expect(pending(page)).to_have_count(0, timeout=SOON)
    expect(texts(page)).to_have_text(["for later"])


def test_parts_that_come_later_come_without_a_connection_too(
    open_installed: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_installed(ana, path_of(chat))
    page.context.set_offline(True)
    page.reload()
    texts(page).first.hover()
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("menuitem", name="Reply")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Search or jump to")).to_be_visible()


def test_only_code_the_shell_and_the_offline_page_are_kept_and_logging_out_takes_the_shell(
    open_installed: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_installed(ana, path_of(chat))
    page.goto("/settings")
    page.goto("/c/01a2055d-0000-7000-8000-000000000000")
    page.goto(path_of(chat))
    say(page, "hello")
    expect(pending(page)).to_have_count(0)
    others = [path for path in kept_addresses(page) if not path.startswith("/static/")]
    assert sorted(others) == ["/", "/offline"]
    page.goto("/settings")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    assert "/" not in kept_addresses(page)
    page.goto("/")
    expect(page).to_have_url(re.compile("/login"))
    assert "/" not in kept_addresses(page)
    page.context.set_offline(True)
    page.goto("/")
    expect(page.get_by_role("heading", name="You're offline")).to_be_visible()
    expect(page.get_by_role("link", name="Back to your chats")).to_be_visible()


def test_a_session_that_ended_elsewhere_takes_the_shell_at_the_next_visit(
    open_installed: Open, ana: Newcomer, chat: Chat
) -> None:
    page = open_installed(ana, path_of(chat))
    page.context.clear_cookies()
    page.goto(path_of(chat))
    expect(page).to_have_url(re.compile("/login"))
    assert "/" not in kept_addresses(page)


@pytest.fixture
def release_next(far_server: Server, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Restarts the server as one that serves everything from other addresses."""
    (tmp_path / "sitecustomize.py").write_text(
        "import drf_spectacular_sidecar\ndrf_spectacular_sidecar.__version__ = 'next'\n"
    )

    def restart() -> None:
        far_server.stop()
        far_server.environment["PYTHONPATH"] = str(tmp_path)
        far_server.start()

    yield restart
    far_server.stop()
    far_server.environment.pop("PYTHONPATH")


def test_a_new_release_is_offered_and_taken_where_nobody_looks_or_writes(
    open_installed: Open,
    far_server: Server,
    release_next: Callable[[], None],
    ana: Newcomer,
    chat: Chat,
) -> None:
    page = open_installed(ana, path_of(chat))
    field(page).press_sequentially("half a")
    release_next()
    pill = page.get_by_role("button", name="Update ready · Reload")
    expect(pill).to_be_visible(timeout=2 * SOON)
    old = page.locator("script[type=module]").get_attribute("src")
    page.evaluate(
        """() => {
            globalThis.isOld = true;
            Object.defineProperty(document, 'hidden', {value: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    page.wait_for_timeout(500)
    assert page.evaluate("globalThis.isOld")
    field(page).fill("")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_function("() => !globalThis.isOld", timeout=SOON)
    expect(pill).to_be_hidden()
    new = page.locator("script[type=module]").get_attribute("src")
    assert new != old
    page.wait_for_function("async () => (await caches.keys()).length === 2", timeout=SOON)
    far_server.stop()
    page.reload(wait_until="commit")
    expect(texts(page)).to_have_text(["Who brings the oars?"])


def test_a_press_on_the_offer_takes_the_new_release_and_keeps_the_draft(
    open_installed: Open, release_next: Callable[[], None], ana: Newcomer, chat: Chat
) -> None:
    page = open_installed(ana, path_of(chat))
    field(page).press_sequentially("half a")
    release_next()
    page.get_by_role("button", name="Update ready · Reload").click(timeout=2 * SOON)
    expect(page.locator("script[type=module]")).to_have_attribute("src", re.compile("next"))
    expect(field(page)).to_have_value("half a")


# On plain http there is none of this


@pytest.fixture
def plain_page(browser: Any, own_environment: dict[str, str]) -> Iterator[tuple[Page, Newcomer]]:
    """A page at an address that browsers do not trust, and who is signed in there."""
    server = Server(**own_environment)
    url = f"http://chat.test:{server.port}"
    server.environment["PUBLIC_URL"] = url
    server.start()
    chromium = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP chat.test 127.0.0.1"],
    )
    ana = Newcomer(server, "ana")
    page = chromium.new_context(base_url=url).new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page, ana
    ana.rest.close()
    chromium.close()
    server.stop()
    assert errors == []


def test_on_plain_http_all_works_but_this_and_settings_say_so(
    plain_page: tuple[Page, Newcomer],
) -> None:
    page, ana = plain_page
    chat = ana.group_with()
    log_in(page, ana, path_of(chat))
    assert not page.evaluate("isSecureContext || 'serviceWorker' in navigator")
    say(page, "hello")
    expect_stored(page, ana, chat, ["hello"])
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    say(page, "meanwhile")
    texts(page).first.hover()
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Copy text").click()
    field(page).focus()
    page.keyboard.press("Control+v")
    expect(field(page)).to_have_value("hello")
    page.context.set_offline(False)
    expect_stored(page, ana, chat, ["hello", "meanwhile"])
    page.goto("/settings")
    expect(page.locator("[data-device]")).to_contain_text("HTTPS makes both work.")


# What browsers ask for


def later_modules() -> list[str]:
    text = (ROOT / "static" / "js" / "worker.js").read_text()
    (names,) = re.findall(r'LATER = "([a-z ]+)"', text)
    return str(names).split()


def test_all_modules_are_either_core_or_loaded_while_there_is_a_connection() -> None:
    modules = {path.stem for path in (ROOT / "static" / "js").glob("*.js")}
    others = {"docs", "entrance", "rules", "settings", "worker"}
    assert modules == {*CORE_MODULES, *later_modules(), *others}


def test_the_manifest_names_the_site_and_pictures_of_their_size(far_server: Server) -> None:
    answer = httpx.get(f"{far_server.url}/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    facts = answer.json()
    assert (facts["name"], facts["start_url"], facts["display"]) == ("Chat", "/", "standalone")
    assert {icon["purpose"] for icon in facts["icons"]} == {"any", "maskable"}
    for icon in facts["icons"]:
        picture = httpx.get(f"{far_server.url}{icon['src']}").content
        assert picture.startswith(b"\x89PNG")
        width, height = struct.unpack(">II", picture[16:24])
        assert icon["sizes"] == f"{width}x{height}"


def test_the_worker_may_be_asked_for_again_at_any_time_and_names_what_is_there(
    far_server: Server,
) -> None:
    answer = httpx.get(f"{far_server.url}/sw.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/javascript")
    (escaped,) = re.findall(r'JSON.parse\("(.+)"\)', answer.text)
    build = re.sub(r"\\u(\w{4})", lambda found: chr(int(found[1], 16)), escaped)
    names = json.loads(build)["files"]
    assert len(names) > 20
    for name in names:
        assert httpx.get(f"{far_server.url}{name}").status_code == 200, name


def test_a_first_visit_takes_fourteen_requests_before_the_worker_comes(
    browser: Any, far_server: Server, proxy: Proxy, ana: Newcomer, chat: Chat
) -> None:
    context = browser.new_context(base_url=proxy.url)
    log_in(context.new_page(), ana, "/settings")
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path_of(chat), wait_until="load")
    names = [url.rpartition("/")[2] for url in asked]
    needed = [name for name in names if name.removesuffix(".js") not in later_modules()]
    assert len(needed) <= 14, needed
    assert not {"worker.js", "sw.js"} & {*names}
    assert all(url.startswith(proxy.url) for url in asked)
    context.close()
