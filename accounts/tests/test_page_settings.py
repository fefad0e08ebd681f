"""The settings page: kept at once with a script, by plain forms without one."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person, expect_error

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]


def settings_of(who: Person) -> dict[str, Any]:
    who.user.refresh_from_db()
    return dict(who.user.settings)


def saved(page: Page, section: str) -> Locator:
    return page.locator(f"#{section} [data-saved]")


def test_what_is_chosen_is_seen_and_kept_at_once(open_page: Open, alice: Person) -> None:
    alice.rest.patch("/users/me", json={"settings": {"of another client": [1]}})
    page = open_page(alice, "/settings")
    root = page.locator("html")
    page.get_by_label("Dark").check()
    expect(saved(page, "appearance")).to_have_text("Saved")
    page.get_by_label("Compact", exact=True).check(force=True)
    page.get_by_label("Larger").check(force=True)
    page.get_by_role("switch", name="Always open at the newest message").check()
    page.get_by_role("switch", name="Enter sends").uncheck()
    page.get_by_role("switch", name="Show when I type").uncheck()
    page.get_by_label("Mentions of me").check(force=True)
    expect(saved(page, "announcements")).to_have_text("Saved")
    expect(root).to_have_attribute("data-text-size", "larger")
    assert settings_of(alice) == {
        "of another client": [1],
        "theme": "dark",
        "density": "compact",
        "text_size": "larger",
        "opens_at_newest": True,
        "enter_sends": False,
        "shows_typing": False,
        "announces": "mentions",
    }
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(1)
    page.goto("/")
    for name, value in {"theme": "dark", "density": "compact", "text-size": "larger"}.items():
        expect(root).to_have_attribute(f"data-{name}", value)
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20.8px"


def test_what_is_chosen_holds_at_once_in_the_other_tabs(
    open_page: Open, alice: Person, group: dict[str, Any]
) -> None:
    shell = open_page(alice, f"/c/{group['id']}")
    first, second = (shell.context.new_page() for _ in range(2))
    for page in (first, second):
        page.goto("/settings")
    field = shell.get_by_role("textbox", name="Message")
    shell.keyboard.press("Control+/")
    new_line = shell.locator(".shortcuts dl > div", has_text="New line")
    expect(new_line).to_contain_text("Shift")
    shell.keyboard.press("Escape")
    first.get_by_label("Dark").check()
    first.get_by_label("Compact", exact=True).check(force=True)
    first.get_by_role("switch", name="Enter sends").uncheck()
    for page in (shell, second):
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.locator("html")).to_have_attribute("data-density", "compact")
    expect(second.get_by_role("switch", name="Enter sends")).not_to_be_checked()
    field.fill("one")
    field.press("Enter")
    expect(field).to_have_value("one\n")
    shell.keyboard.press("Control+/")
    expect(new_line).to_be_visible()
    expect(new_line).not_to_contain_text("Shift")
    second.get_by_label("Larger").check(force=True)
    expect(shell.locator("html")).to_have_attribute("data-text-size", "larger")
    expect(saved(second, "appearance")).to_have_text("Saved")
    assert settings_of(alice)["density"] == "compact"


def test_what_is_chosen_on_another_device_holds_with_the_next_connection(
    open_page: Open, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    chosen = {"theme": "dark", "text_size": "larger", "enter_sends": False}
    alice.rest.patch("/users/me", json={"settings": chosen}).raise_for_status()
    page.context.set_offline(True)
    page.context.set_offline(False)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("html")).to_have_attribute("data-text-size", "larger")
    field = page.get_by_role("textbox", name="Message")
    field.fill("one")
    field.press("Enter")
    expect(field).to_have_value("one\n")
    expect_error(page, "ERR_INTERNET_DISCONNECTED")


def test_what_is_chosen_quickly_is_all_kept(open_page: Open, alice: Person) -> None:
    page = open_page(alice, "/settings")
    delays = [1_000, 0]

    def pass_on(route: Any) -> None:
        page.wait_for_timeout(delays.pop(0))
        route.continue_()

    page.route("**/users/me", pass_on)
    page.get_by_label("Dark").check()
    page.get_by_role("switch", name="Enter sends").uncheck()
    page.wait_for_function(
        "() => document.querySelectorAll('[data-saved]:not(:empty)').length === 2"
    )
    assert settings_of(alice) == {"theme": "dark", "enter_sends": False}


def test_what_could_not_be_kept_is_said_and_put_back(open_page: Open, alice: Person) -> None:
    page = open_page(alice, "/settings")
    page.route("**/users/me", lambda route: route.abort())
    page.get_by_label("Dark").click()
    expect(page.locator("#appearance [role=alert]")).to_contain_text("couldn't reach")
    expect(page.get_by_label("System")).to_be_checked()
    expect(page.locator("html")).to_have_attribute("data-theme", "system")
    assert settings_of(alice) == {}
    expect_error(page, "ERR_FAILED")


def test_a_name_is_kept_and_a_taken_address_is_blamed_at_its_field(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, "/settings")
    page.get_by_label("Your name").fill("Alice the Second")
    page.get_by_label("Email").fill(bob.user.email)
    page.locator("#profile").get_by_role("button", name="Save").click()
    email = page.get_by_label("Email")
    expect(email).to_have_accessible_description("This address is in use.")
    expect(email).to_be_focused()
    email.fill(alice.user.email)
    email.press("Enter")
    expect(saved(page, "profile")).to_have_text("Saved")
    expect(email).not_to_have_attribute("aria-invalid", "true")
    expect(page.locator(".sidebar-me")).to_contain_text("Alice the Second")
    alice.user.refresh_from_db()
    assert alice.user.display_name == "Alice the Second"
    expect_error(page, "status of 400")


@pytest.mark.parametrize(
    ("section", "clicks", "kept"),
    [
        ("appearance", ["Light", "Small"], {"theme": "light", "text_size": "small"}),
        ("keyboard", ["Enter sends"], {"enter_sends": False}),
        ("privacy", ["Show what I have read"], {"shows_read": False, "shows_online": True}),
        ("announcements", ["None"], {"announces": "off"}),
    ],
)
def test_without_a_script_each_section_has_a_button_that_keeps_it(
    open_page: Open, alice: Person, section: str, clicks: list[str], kept: dict[str, Any]
) -> None:
    page = open_page(alice, "/settings", java_script_enabled=False)
    part = page.locator(f"#{section}")
    for label in clicks:
        part.get_by_label(label, exact=True).click(force=True)
    part.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(f"/settings#{section}$"))
    expect(page.locator(".toast [data-slot=text]")).to_have_text("Saved")
    assert kept.items() <= settings_of(alice).items()


def test_a_wrong_old_password_is_typed_again(open_page: Open, alice: Person) -> None:
    page = open_page(alice, "/settings")
    old = page.get_by_label("Current password", exact=True)
    old.fill("wrong horse 9")
    page.get_by_label("New password", exact=True).fill("another horse 9")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator(".field-error")).to_be_visible()
    expect(old).to_be_focused()
    expect(old).to_have_accessible_description("That is not your password.")
    expect_error(page, "status of 4")


def test_settings_that_nobody_understands_break_no_page(open_page: Open, alice: Person) -> None:
    alice.rest.patch("/users/me", json={"settings": {"theme": {"x": 1}, "enter_sends": "maybe"}})
    page = open_page(alice, "/settings")
    expect(page.get_by_label("System")).to_be_checked()
    expect(page.get_by_role("switch", name="Enter sends")).to_be_checked()


def test_nothing_is_wider_than_a_phone_at_the_largest_text(open_page: Open, alice: Person) -> None:
    alice.rest.patch("/users/me", json={"settings": {"text_size": "larger"}})
    page = open_page(alice, "/settings", viewport={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
