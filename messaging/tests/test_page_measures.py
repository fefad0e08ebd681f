"""The measures of the design: what stands where, how large, and in which type."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]
Measures = dict[str, dict[str, Any]]

WRITTEN_IN = "textarea, select, input:not([type=hidden], [type=checkbox], [type=radio])"
SIZES = f"""() => [...document.querySelectorAll("{WRITTEN_IN}")]
    .filter(each => each.checkVisibility())
    .map(each => parseFloat(getComputedStyle(each).fontSize))"""
# Of each element: its box, the padding and type that it has, all in px; `x` from its pane's edge.
MEASURED = """selectors => selectors.map(selector => {
    const one = [...document.querySelectorAll(selector)].find(each => each.checkVisibility());
    if (!one) return {missing: selector};
    const box = one.getBoundingClientRect(), style = getComputedStyle(one);
    const pane = one.closest(".sidebar, .conversation, .details, .dialog, .palette, .menu, body");
    const number = name => parseFloat(style[name]);
    return {
        x: box.x - pane.getBoundingClientRect().x, y: box.y, width: box.width, height: box.height,
        size: number("fontSize"), line: number("lineHeight"), weight: number("fontWeight"),
        radius: number("borderTopLeftRadius"), top: number("marginTop"),
        padding: [style.paddingTop, style.paddingRight, style.paddingBottom, style.paddingLeft]
            .map(parseFloat),
    };
})"""

SHELL: Measures = {
    ".sidebar": {"width": 280},
    ".details": {"width": 320},
    ".sidebar .pane-header": {"height": 56},
    ".conversation .pane-header": {"height": 56},
    ".details .pane-header": {"height": 56},
    ".sidebar .pane-title": {"size": 17, "line": 24, "weight": 600, "x": 16},
    ".sidebar .search-box": {"x": 8, "height": 36},
    ".section-label": {"size": 12, "line": 16, "weight": 600, "padding": [8, 16, 4, 16]},
    ".chat-row a": {"x": 8, "height": 56, "radius": 8, "padding": [8, 8, 8, 8]},
    ".chat-row .avatar": {"x": 16, "width": 40, "height": 40},
    ".chat-row-name": {"x": 68, "size": 15, "line": 22},
    ".chat-row-line": {"x": 68, "size": 13, "line": 18},
    ".chat-row-time": {"size": 12},
    ".chat-row .badge:not([hidden])": {"height": 18, "size": 12, "weight": 600},
    ".sidebar-footer": {"height": 56},
    ".sidebar-footer .avatar": {"width": 32},
    ".conversation .pane-header .avatar": {"x": 24, "width": 36},
    ".conversation-heading": {"x": 72},
    ".icon-button": {"width": 36, "height": 36, "radius": 8},
}

TIMELINE: Measures = {
    ".message.is-first .avatar": {"x": 24, "width": 36, "height": 36},
    ".message.is-first[data-kind=text]": {"radius": 8, "top": 12},
    ".message-name": {"x": 72, "size": 15, "line": 22, "weight": 600},
    ".message-time": {"size": 12, "line": 16},
    "[data-kind=text] .message-text": {"x": 72, "size": 15, "line": 22},
    ".message.is-own.is-first": {"padding": [6, 8, 8, 8]},
    ".day h3": {"size": 12, "line": 16, "weight": 600},
    "[data-kind=system] .message-text": {"x": 72, "size": 13, "line": 18},
    "[data-kind=system] .message-icon .icon": {"x": 34, "width": 16},
    ".unread-line span": {"x": 72, "size": 12, "line": 16, "weight": 600},
    ".message-reply": {"x": 72, "size": 13, "line": 18, "padding": [0, 0, 0, 10]},
    ".code figcaption": {"height": 32, "size": 13},
    ".code pre": {"padding": [10, 12, 10, 12]},
    ".code code": {"size": 13, "line": 20},
    ".code": {"radius": 8},
    ".reaction": {"x": 72, "height": 26, "size": 14},
    ".reaction-count": {"size": 12, "weight": 600},
    ".composer": {"x": 16, "height": 48, "radius": 12},
    ".composer .icon-button": {"width": 36, "height": 36},
    ".typing-line": {"height": 24},
    "[data-typing-text]": {"x": 72},
}

DETAILS: Measures = {
    ".details-scroll": {"padding": [20, 20, 20, 20]},
    ".details .avatar.is-large": {"width": 72, "height": 72},
    ".details-act": {"height": 56},
    ".member": {"height": 40},
    ".member .avatar": {"width": 28},
}

PHONE: Measures = {
    ".conversation .pane-header": {"height": 56},
    ".conversation .icon-button": {"width": 44, "height": 44},
    "[data-kind=text] .message-text": {"x": 64},
    ".composer": {"radius": 22, "height": 48},
    ".composer textarea": {"size": 16},
}

PHONE_LIST: Measures = {
    ".sidebar .pane-title": {"size": 26, "line": 32},
    ".chat-row a": {"height": 68},
    ".chat-row .avatar": {"width": 48, "height": 48},
}


def differences(page: Page, expected: Measures, slack: float = 2) -> str:
    measured = page.evaluate(MEASURED, list(expected))
    return "\n".join(
        f"{selector} {name}: {found.get(name, 'missing')} instead of {value}"
        for (selector, wanted), found in zip(expected.items(), measured, strict=True)
        for name, value in wanted.items()
        if not _is_near(
            found.get(name), value, 0.6 if name in ("size", "line", "weight") else slack
        )
    )


def _is_near(found: Any, wanted: Any, slack: float) -> bool:
    if isinstance(wanted, list):
        return bool(found) and all(map(_is_near, found, wanted, [slack] * len(wanted)))
    return found is not None and abs(found - wanted) <= slack


@pytest.fixture
def talk(alice: Person, bob: Person) -> dict[str, Any]:
    """What has measures, as Bob sees it."""
    alice.says(alice.direct_chat_with(bob), "Unread")
    chat = alice.group_with(bob)
    bob.rest.patch(f"/chats/{chat['id']}", json={"me": {"pinned": True}}).raise_for_status()
    said = alice.says(chat, "The trailer leaves on **Saturday at 06:30**.")
    alice.rest.put(f"/chats/{chat['id']}/messages/{said['id']}/reactions/🎉").raise_for_status()
    bob.says(chat, "Start times come from the script.\n```python\nGAP = 7\n```")
    alice.says(chat, "Which one?")
    bob.says(chat, "This one", reply_to=said["id"])
    last = alice.says(chat, "Thank you")
    bob.rest.post(f"/chats/{chat['id']}/unread", json={"seq": last["seq"]}).raise_for_status()
    return chat


def test_the_page_has_the_measures_of_the_design(
    open_page: Open, bob: Person, talk: dict[str, Any]
) -> None:
    page = open_page(bob, f"/c/{talk['id']}", viewport={"width": 1440, "height": 1136})
    expect(page.locator(".unread-line")).to_be_visible()
    expected = SHELL | TIMELINE | DETAILS
    assert not differences(page, expected)
    page.set_viewport_size({"width": 1024, "height": 868})
    assert not differences(page, {".sidebar": {"width": 264}})


def test_a_phone_has_larger_type_and_targets(
    open_page: Open, bob: Person, talk: dict[str, Any]
) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page(bob, f"/c/{talk['id']}", **phone)
    assert not differences(page, PHONE)
    page.goto("/")
    assert not differences(page, PHONE_LIST)


def test_what_floats_has_the_measures_of_the_design(
    open_page: Open, bob: Person, talk: dict[str, Any]
) -> None:
    page = open_page(bob, f"/c/{talk['id']}", viewport={"width": 1200, "height": 800})
    page.locator(".message.is-own").last.hover()
    expect(page.locator(".message-tools")).to_be_visible()
    tools = {".message-tools": {"height": 36}, ".message-tools .icon-button": {"width": 32}}
    assert not differences(page, tools)
    page.get_by_role("button", name="More", exact=True).click()
    menu = {".menu": {"width": 252, "padding": [4, 4, 4, 4]}, ".menu-item": {"height": 34}}
    assert not differences(page, menu)
    page.keyboard.press("Escape")
    page.locator("[data-opens=new-chat]:visible").first.click()
    expect(page.locator(".dialog:visible")).to_be_visible()
    dialog = {".dialog": {"width": 480, "radius": 12, "padding": [24, 24, 24, 24]}}
    assert not differences(page, dialog | {".dialog h2": {"size": 20, "line": 28}})
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.locator(".palette [role=option]").first).to_be_visible()
    palette: Measures = {
        ".palette": {"width": 600, "y": 100},
        ".palette-head": {"height": 56},
        ".palette input": {"size": 17, "line": 24},
        ".palette-row": {"height": 44},
        ".palette-foot": {"height": 40},
    }
    assert not differences(page, palette)


def test_on_touch_no_type_that_one_writes_is_below_16(
    open_page: Open, alice: Person, talk: dict[str, Any]
) -> None:
    alice.rest.patch("/users/me", json={"settings": {"text_size": "small"}}).raise_for_status()
    tablet = {"viewport": {"width": 1000, "height": 700}, "has_touch": True, "is_mobile": True}
    page = open_page(alice, f"/c/{talk['id']}", **tablet)
    page.keyboard.press("Control+k")
    expect(page.locator(".palette input")).to_be_visible()
    assert min(page.evaluate(SIZES)) == 16
    page.keyboard.press("Escape")
    page.locator("[data-opens=new-chat]").first.click()
    expect(page.locator(".to-field input")).to_be_visible()
    assert min(page.evaluate(SIZES)) == 16
    for path in ("/settings", f"/c/{talk['id']}/settings", "/new"):
        page.goto(path)
        assert min(page.evaluate(SIZES)) == 16
