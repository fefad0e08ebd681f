"""Looking around in the admin, and what may be done there."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.actions import start_sign_in
from accounts.models import SignIn, User
from chatproject.admin import site
from chatproject.testing import PASSWORD, Person, tidily
from chatproject.testing.cast import web_session
from messaging.models import Message

LISTS = [
    "accounts/user",
    "accounts/signin",
    "chats/chat",
    "chats/membership",
    "messaging/message",
]

pytestmark = pytest.mark.usefixtures("server")


@pytest.fixture
def boss(person: Callable[..., Person]) -> Person:
    """Runs the installation."""
    return person("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def helper(person: Callable[..., Person]) -> Person:
    """Staff with the right to change users, but no superuser."""
    from django.contrib.auth.models import Permission

    one = person("helper", is_staff=True)
    one.user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_user", "change_user"])
    )
    return one


def browser_of(who: Person) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.cookies["sessionid"] = web_session(who)
    return client


@pytest.fixture
def client_of_boss(boss: Person) -> Iterator[Client]:
    return browser_of(boss)


def do(client: Client, action: str, *people: Person) -> Any:
    answer = client.post(
        "/admin/accounts/user/",
        {"action": action, "_selected_action": [person.id for person in people]},
        follow=True,
    )
    assert answer.status_code == 200
    return answer


def test_nobody_signs_in_here_but_on_the_page() -> None:
    answer = Client(SERVER_NAME="localhost").get("/admin/chats/chat/", follow=True)
    assert answer.redirect_chain[-1][0] == "/login?next=/admin/chats/chat/"


def test_who_is_not_staff_is_told_so_and_not_sent_in_a_circle(mallory: Person) -> None:
    answer = browser_of(mallory).get("/admin/", follow=True)
    assert answer.status_code == 403


def test_staff_without_rights_see_no_messages(person: Callable[..., Person]) -> None:
    client = browser_of(person("newcomer", is_staff=True))
    assert client.get("/admin/").status_code == 200
    for name in LISTS:
        assert client.get(f"/admin/{name}/").status_code == 403, name


def test_signing_out_ends_the_sign_in(boss: Person) -> None:
    client = browser_of(boss)
    session = client.session["sid"]
    client.post("/admin/logout/", follow=True)
    assert SignIn.objects.get(id=session).ended_at is not None
    assert client.get("/admin/").status_code == 302


def test_the_policy_of_the_admin_lacks_trusted_types_alone(client_of_boss: Client) -> None:
    here = client_of_boss.get("/admin/").headers["Content-Security-Policy"]
    page = client_of_boss.get("/login").headers["Content-Security-Policy"]
    assert "trusted-types" in page
    assert "trusted-types" not in here
    assert "default-src 'self'" in here
    assert "unsafe" not in here


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_25_takes_no_more_queries_than_one_of_5(
    name: str, client_of_boss: Client, busy_group: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_of_boss.get("/admin/")  # the first request of a connection asks a few things more
    assert _queries_of(client_of_boss, name, 25, monkeypatch) == _queries_of(
        client_of_boss, name, 5, monkeypatch
    )


@pytest.fixture
def busy_group(alice: Person, person: Callable[..., Person]) -> None:
    """25 people in a group and in direct chats: at least so many rows of everything."""
    others = [person("guest") for _ in range(25)]
    chat = alice.group_with(*others)
    for one in others:
        alice.direct_chat_with(one)
        one.says(chat, "Hello")


def _queries_of(client: Client, name: str, rows: int, monkeypatch: pytest.MonkeyPatch) -> int:
    model = apps.get_model(*name.split("/"))
    monkeypatch.setattr(site.get_model_admin(model), "list_per_page", rows)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(f"/admin/{name}/")
    assert len(answer.context["cl"].result_list) == rows
    return len(seen)


def test_searches_find_by_whole_names_and_ids(
    client_of_boss: Client, alice: Person, bob: Person, group: dict[str, Any]
) -> None:
    alice.says(group, "from Alice")
    bob.says(group, "from Bob")

    def texts(term: str) -> str:
        return client_of_boss.get("/admin/messaging/message/", {"q": term}).content.decode()

    assert "from Alice" in texts(group["id"])
    assert "from Bob" in texts(group["id"])
    assert "from Alice" in texts(alice.username.upper())
    assert "from Bob" not in texts(alice.username)
    assert "from Alice" not in texts(alice.username[:-1])
    seats = client_of_boss.get("/admin/chats/membership/", {"q": group["id"]}).content.decode()
    assert bob.username in seats


def test_no_list_counts_millions_of_rows(client_of_boss: Client) -> None:
    with CaptureQueriesContext(connection) as seen:
        client_of_boss.get("/admin/messaging/message/")
    counts = [query["sql"] for query in seen if "COUNT(" in query["sql"]]
    assert counts
    assert all("LIMIT 10001" in sql for sql in counts)


@pytest.mark.parametrize("name", LISTS[1:])
def test_what_people_said_and_where_can_only_be_looked_at(
    name: str, client_of_boss: Client, alice: Person, group: dict[str, Any]
) -> None:
    first = client_of_boss.get(f"/admin/{name}/").context["cl"].result_list[0]
    address = f"/admin/{name}/{first.pk}"
    assert client_of_boss.get(f"{address}/change/").status_code == 200
    assert client_of_boss.post(f"{address}/change/", {}).status_code == 403
    assert client_of_boss.post(f"{address}/delete/", {"post": "yes"}).status_code == 403
    assert client_of_boss.get(f"/admin/{name}/add/").status_code == 403


def test_a_deactivated_person_is_out_until_they_are_taken_back(
    client_of_boss: Client, alice: Person
) -> None:
    assert alice.rest.get("/users/me").status_code == 200
    do(client_of_boss, "deactivate", alice)
    assert alice.rest.get("/users/me").status_code == 401
    do(client_of_boss, "reactivate", alice)
    login = {"username": alice.username, "password": PASSWORD}
    assert alice.rest.post("/auth/login", json=login).status_code == 200


def test_ending_all_sessions_ends_all_of_one_person_and_no_other(
    client_of_boss: Client, alice: Person, bob: Person
) -> None:
    start_sign_in(user=alice.user, kind="web")
    do(client_of_boss, "end_all_sessions", alice)
    assert not SignIn.objects.valid().filter(user=alice.user).exists()
    assert bob.rest.get("/users/me").status_code == 200


def test_one_sign_in_is_ended_by_itself(client_of_boss: Client, alice: Person) -> None:
    other = start_sign_in(user=alice.user, kind="token")
    client_of_boss.post(
        "/admin/accounts/signin/", {"action": "end", "_selected_action": [other.id]}
    )
    assert list(SignIn.objects.valid().filter(user=alice.user)) == [alice.sign_in]


def test_nobody_deactivates_themselves(client_of_boss: Client, boss: Person) -> None:
    do(client_of_boss, "deactivate", boss)
    assert User.objects.get(id=boss.id).is_active


def test_a_new_person_can_sign_in_and_a_taken_address_is_refused(
    client_of_boss: Client, alice: Person
) -> None:
    new = {
        "username": f"nova-{alice.username}",
        "email": f"nova-{alice.username}@example.org",
        "display_name": "Nova",
        "password1": "purple giraffe 12",
        "password2": "purple giraffe 12",
    }
    refused = client_of_boss.post(
        "/admin/accounts/user/add/", new | {"email": alice.user.email.upper()}
    )
    assert b"This address is in use." in refused.content
    assert client_of_boss.post("/admin/accounts/user/add/", new).status_code == 302
    login = {"username": new["username"], "password": new["password1"]}
    assert alice.rest.post("/auth/login", json=login).status_code == 200


def test_a_new_password_ends_the_sessions_of_the_old_one(
    client_of_boss: Client, alice: Person
) -> None:
    new = {"password1": "purple giraffe 12", "password2": "purple giraffe 12"}
    address = f"/admin/accounts/user/{alice.id}/password/"
    assert client_of_boss.get(address).status_code == 200
    assert client_of_boss.post(address, new | {"password2": "other"}).status_code == 200
    assert alice.rest.get("/users/me").status_code == 200
    assert client_of_boss.post(address, new).status_code == 302
    assert alice.rest.get("/users/me").status_code == 401
    login = {"username": alice.username, "password": "purple giraffe 12"}
    assert alice.rest.post("/auth/login", json=login).status_code == 200


def test_changing_ones_own_password_keeps_one_signed_in(
    client_of_boss: Client, boss: Person
) -> None:
    new = {"password1": "purple giraffe 12", "password2": "purple giraffe 12"}
    client_of_boss.post(f"/admin/accounts/user/{boss.id}/password/", new)
    assert client_of_boss.get("/admin/").status_code == 200
    assert boss.rest.get("/users/me").status_code == 401


async def test_others_hear_of_a_name_changed_here(
    boss: Person, alice: Person, bob: Person, group: dict[str, Any], server: Any
) -> None:
    import asyncio

    async with bob.socket() as socket:
        await asyncio.to_thread(tidily, _rename_over_http, boss, alice, "Alice the Great")
        event = await socket.event("user.updated")
    assert event["user"]["display_name"] == "Alice the Great"


def _rename_over_http(boss: Person, alice: Person, name: str) -> None:
    import httpx

    with httpx.Client(base_url=boss.server.url, cookies={"sessionid": web_session(boss)}) as web:
        address = f"/admin/accounts/user/{alice.id}/change/"
        web.get(address)
        form = {"display_name": name, "email": alice.user.email}
        answer = web.post(address, data=form | {"csrfmiddlewaretoken": web.cookies["csrftoken"]})
        assert answer.status_code == 302, answer.text


def test_a_change_leaves_alone_what_others_write_meanwhile(
    client_of_boss: Client, alice: Person
) -> None:
    with CaptureQueriesContext(connection) as seen:
        form = {"display_name": "Alice", "email": alice.user.email, "is_staff": "on"}
        client_of_boss.post(f"/admin/accounts/user/{alice.id}/change/", form)
    assert User.objects.get(id=alice.id).is_staff
    updates = [query["sql"] for query in seen if query["sql"].startswith('UPDATE "users"')]
    assert updates
    assert not any('"seats_version" =' in sql for sql in updates)


def test_staff_cannot_make_themselves_more(helper: Person, boss: Person, alice: Person) -> None:
    client = browser_of(helper)
    own = {"display_name": "Helper", "email": helper.user.email, "is_superuser": "on"}
    client.post(f"/admin/accounts/user/{helper.id}/change/", own)
    hers = {"display_name": "Alice", "email": alice.user.email, "is_staff": "on"}
    assert client.post(f"/admin/accounts/user/{alice.id}/change/", hers).status_code == 302
    assert not User.objects.get(id=helper.id).is_superuser
    assert not User.objects.get(id=alice.id).is_staff
    new = {"password1": "purple giraffe 12", "password2": "purple giraffe 12"}
    answer = client.post(f"/admin/accounts/user/{boss.id}/password/", new)
    assert answer.status_code == 403
    do(client, "deactivate", boss, alice)
    assert User.objects.get(id=boss.id).is_active
    assert not User.objects.get(id=alice.id).is_active


def test_an_administrator_made_by_the_command_signs_in_and_gets_here(monkeypatch: Any) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "purple giraffe 12")
    call_command(
        "createsuperuser", interactive=False, username="Root", email="root@example.org", verbosity=0
    )
    client = Client(SERVER_NAME="localhost")
    form = {"username": "root", "password": "purple giraffe 12", "next": "/admin/"}
    answer = client.post("/login", form, follow=True)
    assert answer.redirect_chain == [("/admin/", 302)]
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("username", "email", "sentence"),
    [
        ("TAKEN", "free@example.org", "already taken"),
        ("free", "Taken@example.org", "already"),
        ("with space", "free@example.org", "Use letters"),
    ],
)
def test_the_command_refuses_a_name_in_one_sentence(
    username: str, email: str, sentence: str
) -> None:
    User.objects.get_or_create(username="taken", email="taken@example.org")
    with pytest.raises(CommandError, match=sentence):
        call_command("createsuperuser", interactive=False, username=username, email=email)


def test_a_password_changed_by_the_command_ends_all_sign_ins(
    alice: Person, monkeypatch: Any
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt="": "purple giraffe 12")
    call_command("changepassword", alice.username)
    assert alice.rest.get("/users/me").status_code == 401


def test_the_pages_work_in_a_browser_without_an_error(
    open_page: Callable[..., Any], boss: Person, alice: Person, group: dict[str, Any]
) -> None:
    alice.says(group, "Good *morning*")
    page = open_page(boss, "/admin/")
    for name in LISTS:
        page.goto(f"/admin/{name}/")
        page.locator("#result_list tbody tr").first.locator("th a").first.click()
        page.wait_for_url("**/change/")
    page.goto(f"/admin/accounts/user/?q={alice.username}")
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("end_all_sessions")
    page.get_by_role("button", name="Go").click()
    page.get_by_text("All sessions ended").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login*")
    assert Message.objects.filter(content="Good *morning*").exists()
