"""How often one may guess a password, or make an account."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from accounts import actions
from chatproject.errors import RateLimited, SignInFailed
from chatproject.testing import PASSWORD, Newcomer, Person, Server, error_of, rest_client
from chatproject.testing.cast import web_session

WRONG = "wrong horse 9"
MINUTE = 60
_hosts = count(1)


def new_address() -> str:
    number = next(_hosts)
    return f"10.1.{number // 250}.{number % 250 + 1}"


@pytest.fixture
def ana(newcomer: Callable[[str], Newcomer]) -> Newcomer:
    return newcomer("ana")


@pytest.fixture
def guest(strict_server: Server) -> Iterator[httpx.Client]:
    """Somebody at an address of this test's own."""
    headers = {"X-Forwarded-For": new_address()}
    with rest_client(strict_server, headers=headers, timeout=60) as client:
        yield client


def login(
    guest: httpx.Client, username: str, password: str = WRONG, address: str | None = None
) -> httpx.Response:
    headers = {"X-Forwarded-For": address} if address else None
    body = {"username": username, "password": password}
    return guest.post("/auth/login", json=body, headers=headers)


def assert_refused(answer: httpx.Response, low: int, high: int) -> dict[str, Any]:
    """429, with a wait (in seconds) between these."""
    entry = error_of(answer, 429)
    assert entry["code"] == "rate_limited"
    assert low <= entry["retry_after"] <= high
    assert answer.headers["Retry-After"] == str(entry["retry_after"])
    return entry


def test_after_five_wrong_passwords_the_right_one_is_refused_too(
    guest: httpx.Client, ana: Newcomer
):
    assert [login(guest, ana.username).status_code for _ in range(5)] == [401] * 5
    assert_refused(login(guest, ana.username), 2 * MINUTE, 3 * MINUTE)
    entry = assert_refused(login(guest, ana.username, PASSWORD), 2 * MINUTE, 3 * MINUTE)
    assert entry["detail"] == "Too many wrong passwords. Try again in 3 minutes."


def test_nobody_by_that_name_is_refused_in_the_same_words(guest: httpx.Client, ana: Newcomer):
    told = []
    for name in (ana.username, "nobody-at-all"):
        answers = [login(guest, name) for _ in range(6)]
        assert [one.status_code for one in answers] == [401] * 5 + [429]
        told.append((answers[0].content, error_of(answers[-1], 429)["detail"]))
    assert told[0] == told[1]


def test_name_and_email_in_any_case_are_one_account(guest: httpx.Client, ana: Newcomer):
    email = ana.known["email"]
    names = [ana.username, ana.username.upper(), email, email.title(), ana.username.title()]
    assert [login(guest, name).status_code for name in names] == [401] * 5
    assert [login(guest, name).status_code for name in names] == [429] * 5


def test_a_stranger_elsewhere_locks_nobody_out(guest: httpx.Client, ana: Newcomer):
    while login(guest, ana.username).status_code == 401:
        pass
    assert login(guest, ana.username, PASSWORD).status_code == 429
    assert login(guest, ana.username, PASSWORD, new_address()).status_code == 200


def test_right_passwords_are_not_counted(guest: httpx.Client, ana: Newcomer):
    for _ in range(4):
        assert login(guest, ana.username).status_code == 401
    for _ in range(7):
        assert login(guest, ana.username, PASSWORD).status_code == 200
    assert [login(guest, ana.username).status_code for _ in range(2)] == [401, 429]


def test_thirty_wrong_ones_from_an_address_are_enough_whoever_it_tries(
    guest: httpx.Client, ana: Newcomer
):
    began_at = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(lambda n: login(guest, f"name-{n}").status_code, range(30)))
    assert statuses == [401] * 30
    grown_back = 0
    while login(guest, "another").status_code == 401:
        grown_back += 1
    assert grown_back <= (time.monotonic() - began_at) / 30
    assert_refused(login(guest, ana.username, PASSWORD), 1, 30)
    assert login(guest, ana.username, PASSWORD, new_address()).status_code == 200


def test_of_sixteen_wrong_passwords_at_once_five_are_looked_at(guest: httpx.Client, ana: Newcomer):
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: login(guest, ana.username), range(16)))
    assert sorted(one.status_code for one in answers) == [401] * 5 + [429] * 11


class CountingHasher(MD5PasswordHasher):
    """A quick one that knows how often it was asked."""

    algorithm = "counting"
    asked = 0

    def verify(self, password: str, encoded: str) -> bool:
        CountingHasher.asked += 1
        return super().verify(password, encoded)


def test_a_hundred_wrong_ones_for_an_account_are_enough_wherever_from(
    alice: Person, bob: Person, settings: Any
):
    settings.RATE_LIMITS = True
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    for one in (alice.user, bob.user):
        one.set_password(PASSWORD)
        one.save(update_fields=["password"])

    def guess(who: Person, password: str = WRONG) -> Any:
        name, address = who.username, new_address()
        return actions.sign_in(identifier=name, password=password, kind="token", address=address)

    for _ in range(100):
        with pytest.raises(SignInFailed):
            guess(alice)
    with pytest.raises(RateLimited):
        guess(alice, PASSWORD)
    assert CountingHasher.asked == 100
    assert guess(bob, PASSWORD).user_id == bob.user.id


# The pages


def fill(guest: httpx.Client, path: str, **fields: str) -> httpx.Response:
    guest.get(path)
    form = {"csrfmiddlewaretoken": guest.cookies["csrftoken"], **fields}
    return guest.post(path, data=form)


def test_the_login_page_says_when_to_come_back(guest: httpx.Client, ana: Newcomer):
    answers = [fill(guest, "/login", username=ana.username, password=WRONG) for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert "Wrong name or password." in answers[0].text
    refused = fill(guest, "/login", username=ana.username, password=PASSWORD)
    assert refused.status_code == 429
    assert "Too many wrong passwords. Try again in 3 minutes." in refused.text
    assert 2 * MINUTE <= int(refused.headers["Retry-After"]) <= 3 * MINUTE
    assert "sessionid" not in guest.cookies
    assert login(guest, ana.username, PASSWORD).status_code == 429


def test_the_admin_lets_nobody_guess_more(guest: httpx.Client, ana: Newcomer):
    while login(guest, ana.username).status_code == 401:
        pass
    entrance = guest.get("/admin/login/", follow_redirects=True)
    assert entrance.url.path == "/login"
    path = str(entrance.url)
    assert fill(guest, path, username=ana.username, password=PASSWORD).status_code == 429


# The old password


def change(who: Person, old: str) -> httpx.Response:
    return who.rest.post("/auth/password", json={"old_password": old, "new_password": "lake 28 go"})


def test_wrong_old_passwords_are_counted_too(ana: Newcomer, newcomer: Callable[[str], Newcomer]):
    assert [change(ana, WRONG).status_code for _ in range(5)] == [400] * 5
    assert_refused(change(ana, WRONG), 2 * MINUTE, 3 * MINUTE)
    assert_refused(change(ana, PASSWORD), 2 * MINUTE, 3 * MINUTE)
    assert ana.rest.get("/users/me").status_code == 200
    assert change(newcomer("ben"), PASSWORD).status_code == 204


def test_the_settings_page_counts_them_with_rest(
    alice: Person, settings: Any, client: Any, installation: None
):
    settings.RATE_LIMITS = True
    client.cookies["sessionid"] = web_session(alice)
    form = {"section": "password", "old_password": WRONG, "new_password": "lake 28 go"}
    answers = [client.post("/settings", form) for _ in range(6)]
    assert [one.status_code for one in answers] == [400] * 5 + [429]
    assert "Too many wrong passwords. Try again in 3 minutes." in answers[-1].text
    assert int(answers[-1]["Retry-After"]) >= 2 * MINUTE


# Registration


def test_an_address_may_try_to_make_a_hundred_accounts_an_hour(guest: httpx.Client, ana: Newcomer):
    taken = {"username": ana.username, "email": "new@example.org", "password": PASSWORD}
    for _ in range(100):
        assert error_of(guest.post("/auth/register", json=taken), 400)["attr"] == "username"
    refused = guest.post("/auth/register", json={**taken, "username": "ann"})
    assert_refused(refused, 1, 36)
    page = fill(guest, "/register", username="ann", email="new@example.org", password=PASSWORD)
    assert page.status_code == 429
    assert "Too many new accounts. Try again in " in page.text
    elsewhere = {"X-Forwarded-For": new_address()}
    made = guest.post("/auth/register", json={**taken, "username": "ann"}, headers=elsewhere)
    assert made.status_code == 201


# The log


def test_the_log_has_who_was_refused_and_no_password(guest: httpx.Client, strict_server: Server):
    name = "eve\r\n2026-11-22 INFO security signed in \x1b[31m\u202eroot"
    answers = [login(guest, name, "my secret of the deep sea") for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429]
    address = guest.headers["X-Forwarded-For"]
    log = strict_server.log.read_text()
    lines = [line for line in log.splitlines() if f"address={address}" in line]
    assert [("sign-in failed" in line, "sign-in refused" in line) for line in lines] == [
        *[(True, False)] * 5,
        (False, True),
    ]
    assert all(r"eve\r\n2026" in line and r"\x1b[31m\u202eroot" in line for line in lines)
    assert "deep sea" not in log
