"""The page for everybody: axe finds nothing, targets can be hit, nothing scrolls sideways."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from chatproject.testing import PASSWORD, Person, Server, another_installation, expect_error

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": WCAG},
    "rules": {"target-size": {"enabled": True}},
}
NARROW, WIDE = {"width": 320, "height": 640}, {"width": 1280, "height": 800}
ZOOMED = {"width": 320, "height": 256}
"""1280 by 1024, at 400 %."""

# A link within text is let off, a field within a label is as large as that, and a target may be
# larger than it looks.
SMALL_TARGETS = """size => {
    const isHit = (one, x, y) => one.contains(document.elementFromPoint(x, y));
    const isLarge = one => {
        one.scrollIntoView({block: "center", inline: "nearest"});
        const {x, y, width, height} = one.getBoundingClientRect(), reach = size / 2 - 1;
        const [left, top] = [x + width / 2, y + height / 2];
        const around = [
            width < size - 0.5 && [[left - reach, top], [left + reach, top]],
            height < size - 0.5 && [[left, top - reach], [left, top + reach]],
        ].filter(Boolean).flat();
        return width <= 1 || around.every(([x, y]) => isHit(one, x, y));
    };
    return [...document.querySelectorAll("a, button, input, select, [role=option]")]
        .filter(one => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
        .filter(one => !one.matches(":is(p, .message-text) a, .message-reply, .skip-link"))
        .map(one => one.closest("label") ?? one)
        .filter(one => !isLarge(one))
        .map(one => `${one.offsetWidth} x ${one.offsetHeight} ${one.outerHTML.slice(0, 120)}`);
}"""


@pytest.fixture(scope="module")
def axe() -> Axe:
    return Axe()


@pytest.fixture
def check(axe: Axe) -> Callable[[Page], None]:
    """Fails where a page as it stands has a fault in either theme, narrow or wide."""

    def check_page(page: Page) -> None:
        faults = []
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            if page.evaluate("document.documentElement.scrollWidth") > size["width"]:
                faults.append(f"{size['width']}: scrolls sideways")
            faults += [f"{size['width']}: small {one}" for one in page.evaluate(SMALL_TARGETS, 24)]
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                found = axe.run(page, options=OPTIONS).response["violations"]
                faults += [f"{theme} {size['width']}: {_told(one)}" for one in found]
        assert not faults, "\n".join([page.url, *faults])

    return check_page


def _told(violation: dict[str, Any]) -> str:
    nodes = [f"{node['html'][:160]} ({node['failureSummary']})" for node in violation["nodes"]]
    return "\n".join([violation["id"], *nodes])


HOSTILE = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2
CONTENTS = [
    "Plain, and **bold**, and `code`, and https://example.org/a/very/long/path" + "/more" * 40,
    "```python\nGAP = 7\nfor n, crew in enumerate(crews): crew.start = n * GAP  # "
    + "wide " * 20
    + "\n```",
    "> quoted\n\n- one\n- two\n\n1. first\n2. second",
    "أستطيع أن آخذ ثلاثة أشخاص من المحطة.",
    "我六点到码头,咖啡我来带。☕",
    "🎉🎉",
    HOSTILE,
]


@pytest.fixture
def talk(alice: Person, bob: Person, person: Any) -> dict[str, Any]:
    """A group with a row of every kind, as Bob sees it."""
    sara = person("sara", display_name="سارة حداد")
    group = alice.group_with(bob, sara, name=f"Regatta {HOSTILE}"[:100])
    for number, text in enumerate(CONTENTS):
        (alice, bob, sara)[number % 3].says(group, text)
    first = alice.says(group, f"Look, @{bob.username}")
    bob.says(group, "I do", reply_to=first["id"])
    at = f"/chats/{group['id']}/messages"
    for who, emoji in ((alice, "🎉"), (bob, "🎉"), (alice, "👍🏽")):
        who.rest.put(f"{at}/{first['id']}/reactions/{emoji}").raise_for_status()
    edited, gone = bob.says(group, "Edit me"), sara.says(group, "Soon gone")
    bob.rest.patch(f"{at}/{edited['id']}", json={"content": "Edited"}).raise_for_status()
    sara.rest.delete(f"{at}/{gone['id']}").raise_for_status()
    bob.rest.post(f"/chats/{group['id']}/unread", json={"seq": 6}).raise_for_status()
    return group


def test_axe_finds_nothing_before_one_is_signed_in(
    open_page: Open, check: Callable[[Page], None]
) -> None:
    page = open_page(path="/login")
    check(page)
    page.get_by_label("Username or email").fill("nobody")
    page.locator("[type=password]").fill("wrong password")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.is-danger")).to_be_visible()
    check(page)
    page.goto("/register")
    page.locator("[type=password]").fill("long enough 1")
    check(page)
    page.goto("/nowhere")
    check(page)
    page.route("**/login", lambda route: route.continue_(method="POST"))
    page.goto("/login")
    expect(page.get_by_role("heading", name="Not sent")).to_be_visible()
    check(page)
    expect_error(page, "status of 4")


@pytest.fixture
def own_environment(installation: None, tmp_path: Path) -> dict[str, str]:
    return {**another_installation(tmp_path), "REGISTRATION": "closed"}


def test_axe_finds_nothing_on_the_first_day(
    open_page: Open, check: Callable[[Page], None], own_server: Server
) -> None:
    page = open_page(path="/login")
    for path in ("/register", "/setup?token=wrong", "/login"):
        page.goto(f"{own_server.url}{path}")
        check(page)
    (link,) = re.findall(r"http://\S+/setup\?token=\S+", own_server.log.read_text())
    page.goto(link)
    check(page)
    for name, value in {
        "username": "ana",
        "email": "ana@example.org",
        "password": PASSWORD,
    }.items():
        page.locator(f"[name={name}]").fill(value)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your server is running")).to_be_visible()
    check(page)
    page.goto("about:blank")  # its server ends before it does
    expect_error(page, "status of 403")


def test_axe_finds_nothing_in_chats(
    open_page: Open,
    check: Callable[[Page], None],
    alice: Person,
    bob: Person,
    mallory: Person,
    talk: dict[str, Any],
) -> None:
    check(open_page(mallory))
    page = open_page(bob)
    for path in (
        "/",
        f"/c/{talk['id']}",
        f"/c/{talk['id']}?at=3",
        f"/c/{bob.direct_chat_with(alice)['id']}",
    ):
        page.goto(path)
        check(page)


def test_axe_finds_nothing_in_settings(
    open_page: Open, check: Callable[[Page], None], alice: Person, bob: Person, talk: dict[str, Any]
) -> None:
    page = open_page(bob, "/settings")
    check(page)
    page.goto("/new")
    check(page)
    page.goto(f"/c/{talk['id']}/settings")
    check(page)
    page.locator("[value=leave]").evaluate("one => (delete one.dataset.confirms, one.click())")
    expect(page.get_by_role("heading", name=re.compile("^Leave"))).to_be_visible()
    check(page)
    check(open_page(alice, f"/c/{talk['id']}/settings"))


def _open_menu(page: Page) -> None:
    page.get_by_role("region", name="Messages").locator(".message.is-own").last.hover()
    page.get_by_role("button", name="More", exact=True).click()


def _confirm(page: Page) -> None:
    _open_menu(page)
    page.get_by_role("menuitem", name="Delete", exact=True).click()


def _open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator(".palette input").fill(">")


def _sign_out(page: Page) -> None:
    page.evaluate("document.querySelector('[data-dialog=signed-out]').showModal()")


def _suggest(page: Page) -> None:
    page.locator("[data-composer] textarea").fill("")
    page.locator("[data-composer] textarea").press_sequentially("Ask @")


def _pick_two(page: Page) -> None:
    page.locator("[data-opens=new-chat]:visible").click()
    found = page.locator(".found [role=option]")
    found.first.click()
    found.last.click()
    expect(page.locator(".to-chip")).to_have_count(2)


OVERLAYS: dict[str, tuple[Callable[[Page], None], str]] = {
    "new chat": (lambda page: page.locator("[data-opens=new-chat]:visible").click(), ".dialog"),
    "message menu": (_open_menu, "[data-menu]"),
    "emoji picker": (
        lambda page: page.get_by_role("button", name="Emoji", exact=True).click(),
        "[role=gridcell]",
    ),
    "palette": (_open_palette, ".palette [role=option]"),
    "shortcuts": (lambda page: page.keyboard.press("Control+/"), ".shortcuts"),
    "confirmation": (_confirm, "[data-confirm]"),
    "signed out": (_sign_out, "[data-dialog=signed-out]"),
    "suggestions": (_suggest, ".suggestions"),
    "people picked": (_pick_two, ".to-chip"),
    "person": (lambda page: page.locator(".member-link").last.click(), ".person-card"),
}


def test_axe_finds_nothing_with_something_open(
    open_page: Open, check: Callable[[Page], None], bob: Person, talk: dict[str, Any]
) -> None:
    page = open_page(bob, f"/c/{talk['id']}")
    for open_overlay, sign in OVERLAYS.values():
        page.set_viewport_size(WIDE)
        open_overlay(page)
        expect(page.locator(f"{sign}:visible").first).to_be_visible()
        check(page)
        page.keyboard.press("Escape")
        expect(page.locator(f"{sign}:visible")).to_have_count(0)


HOVERED = [
    ".chat-row a",
    ".message.is-own",
    ".message.is-mention",
    ".message:not(.is-own)",
    ".reaction",
    ".details-act",
    ".details-label a",
    ".code-copy",
    ".conversation .icon-button",
]


def test_contrast_holds_under_the_pointer(
    open_page: Open, axe: Axe, bob: Person, talk: dict[str, Any]
) -> None:
    page = open_page(bob, f"/c/{talk['id']}", viewport=WIDE, reduced_motion="reduce")
    faults = []
    for selector in HOVERED:
        page.locator(f"{selector}:visible").last.hover()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            options = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}
            found = axe.run(page, options=options).response["violations"]
            faults += [f"{theme} {selector}: {_told(one)}" for one in found]
    assert not faults, "\n".join(faults)


def test_a_finger_hits_every_target(open_page: Open, bob: Person, talk: dict[str, Any]) -> None:
    page = open_page(bob, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    small = []
    for path in ("/", f"/c/{talk['id']}", "/settings", "/new", f"/c/{talk['id']}/settings"):
        page.goto(path)
        small += [f"{path}: {one}" for one in page.evaluate(SMALL_TARGETS, 44)]
    assert not small, "\n".join(small)


def test_nothing_scrolls_sideways_at_four_times_the_size(
    open_page: Open, bob: Person, talk: dict[str, Any]
) -> None:
    page = open_page(bob, viewport=ZOOMED)
    for path in ("/", f"/c/{talk['id']}", "/settings", "/new", f"/c/{talk['id']}/settings"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"], path
    page.goto(f"/c/{talk['id']}")
    box = page.locator("[data-timeline]").bounding_box()
    assert box
    assert box["height"] >= 100, "there is room to read beside the composer"
