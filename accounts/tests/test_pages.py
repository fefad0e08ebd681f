"""The pages around the chats, and all of them without a script."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from chatproject.testing import PASSWORD, Person, expect_error

Open = Callable[..., Page]

PHONE = {"viewport": {"width": 390, "height": 844}}


def log_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username or email").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_page_that_needs_somebody_leads_through_the_login_and_back(
    open_page: Open, alice: Person, bob: Person
) -> None:
    path = f"/c/{alice.direct_chat_with(bob)['id']}"
    page = open_page(None, path)
    expect(page).to_have_url(re.compile("/login"))
    log_in(page, alice.username)
    expect(page).to_have_url(re.compile(path))


def test_a_wrong_password_is_said_and_nobody_is_let_in(open_page: Open, alice: Person) -> None:
    page = open_page(None, "/login")
    log_in(page, alice.username, "wrong horse 9")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Username or email")).to_have_value(alice.username)
    page.goto("/")
    expect(page).to_have_url(re.compile("/login"))
    expect_error(page, "status of 4")


def test_after_a_wrong_password_one_types_it_again_and_hears_why(
    open_page: Open, alice: Person
) -> None:
    page = open_page(None, "/login")
    expect(page.locator("[autofocus], [aria-describedby]")).to_have_count(0)
    log_in(page, alice.username, "wrong horse 9")
    password = page.get_by_label("Password", exact=True)
    expect(password).to_be_focused()
    expect(password).to_have_accessible_description("Wrong name or password. Try again.")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".sidebar-me")).to_contain_text("Alice")
    expect_error(page, "status of 4")


def test_the_first_wrong_field_of_a_registration_has_the_focus(
    open_page: Open, alice: Person
) -> None:
    page = open_page(None, "/register")
    page.get_by_label("Username").fill(f"new-{alice.username}")
    page.get_by_label("Email").fill(alice.user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    email = page.get_by_label("Email")
    expect(email).to_be_focused()
    expect(email).to_have_accessible_description("This address is in use.")
    expect_error(page, "status of 4")
    page.evaluate("document.forms[0].noValidate = true")
    page.get_by_label("Username").fill("new")
    name = page.get_by_label("Your name")
    name.evaluate("field => field.removeAttribute('maxlength')")
    name.fill("n" * 65)
    email.fill("nobody")
    page.get_by_role("button", name="Create account").click()
    expect(name).to_be_focused()
    expect(email).to_have_accessible_description("Enter a valid email address.")
    expect_error(page, "status of 4")


def test_a_password_can_be_shown(open_page: Open) -> None:
    page = open_page(None, "/login")
    field = page.get_by_label("Password", exact=True)
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_role("button", name="Hide password").click()
    expect(field).to_have_attribute("type", "password")


def test_rules_of_a_new_password_are_ticked_off_while_one_types(open_page: Open) -> None:
    page = open_page(None, "/register")
    kept = page.locator(".rules .is-kept")
    password = page.get_by_label("Password", exact=True)
    page.get_by_label("Username").fill("ana.silva")
    password.fill("silva22")
    expect(kept).to_have_count(0)
    password.fill("silva-22")
    expect(kept).to_have_text(re.compile("8 to 128 characters"))
    password.fill("lake-regatta-28")
    expect(kept).to_have_count(2)
    page.get_by_label("Email").fill("lakeregatta28@example.org")
    expect(kept).to_have_count(1)
    expect(password).to_have_accessible_description(re.compile("Not like your name"))


def test_somebody_registers_and_is_in(open_page: Open, alice: Person) -> None:
    page = open_page(None, "/register")
    name = f"new-{alice.username}"
    page.get_by_label("Username").fill(name)
    page.get_by_label("Your name").fill("Nova")
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_label("Password", exact=True).fill("password")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".field-error")).to_contain_text("common")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".sidebar-me")).to_contain_text("Nova")
    expect_error(page, "status of 4")


def test_logging_out_leads_an_open_chat_to_the_login(
    open_page: Open, alice: Person, bob: Person
) -> None:
    page = open_page(alice, f"/c/{alice.direct_chat_with(bob)['id']}")
    other = page.context.new_page()
    other.goto("/settings")
    other.get_by_role("button", name="Log out").click()
    said = page.get_by_role("dialog", name="You're signed out")
    expect(said).to_be_visible(timeout=15_000)
    said.get_by_role("link", name="Sign in").click()
    expect(page).to_have_url(re.compile(r"/login\?next=%2Fc%2F"))


def test_leaving_a_group_is_asked_first(open_page: Open, alice: Person, bob: Person) -> None:
    chat = alice.group_with(bob)
    page = open_page(bob, f"/c/{chat['id']}/settings")
    page.wait_for_load_state("networkidle")
    leave = page.get_by_role("button", name="Leave this group")
    question = page.get_by_role("alertdialog", name="Leave Regatta weekend?")
    leave.click()
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(question).to_have_count(0)
    expect(leave).to_be_focused()
    leave.click()
    question.get_by_role("button", name="Cancel").click()
    expect(page).to_have_url(re.compile("/settings"))
    leave.click()
    question.get_by_role("button", name="Leave").click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_without_a_script_leaving_a_group_is_asked_first_too(
    open_page: Open, alice: Person, bob: Person
) -> None:
    path = f"/c/{alice.group_with(bob)['id']}/settings"
    page = open_page(bob, path, java_script_enabled=False)
    leave = page.get_by_role("button", name="Leave this group")
    leave.click()
    expect(page.get_by_role("heading", name="Leave Regatta weekend?")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(re.compile(path))
    leave.click()
    page.get_by_role("button", name="Leave", exact=True).click()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(page.get_by_role("navigation", name="Chats")).not_to_contain_text("Regatta")


def test_without_a_script_one_signs_in_reads_pages_back_and_posts(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    for number in range(1, 61):
        alice.says(chat, f"m{number}.")
    page = open_page(None, "/", java_script_enabled=False)
    log_in(page, bob.username)
    page.get_by_role("link", name=re.compile("Alice")).click()
    region = page.get_by_role("region", name="Messages")
    expect(region.get_by_role("separator")).to_have_text("60 new messages")
    page.get_by_role("link", name="Newest").click()
    expect(region).to_contain_text("m60.")
    expect(region).not_to_contain_text("m10.")
    page.get_by_role("link", name="Older messages").click()
    expect(region).to_contain_text("m1.")
    page.get_by_role("textbox", name="Message").fill("Read it all")
    page.get_by_role("button", name="Send").click()
    expect(region.locator(".message").last).to_contain_text("Read it all")


def test_on_a_phone_list_and_chat_are_two_pages(
    open_page: Open, alice: Person, bob: Person
) -> None:
    chat = alice.direct_chat_with(bob)
    alice.says(chat, "Hello")
    page = open_page(bob, "/", **PHONE)
    row = page.locator(f'[data-chat-id="{chat["id"]}"]')
    expect(page.locator("main:visible")).to_have_count(0)
    row.click()
    expect(page.get_by_role("region", name="Messages")).to_be_visible()
    expect(row).to_be_hidden()
    page.get_by_role("link", name="Back to chats").click()
    expect(row).to_be_visible()
    page.go_back()
    expect(page.get_by_role("region", name="Messages")).to_contain_text("Hello")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
