"""Who is in a group: adding, leaving, removing, roles, and who owns it next."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.actions import set_active
from accounts.models import User
from chatproject.testing import Person, SocketClient, error_of
from chats.models import Chat, Membership

Document = dict[str, Any]


def add(who: Person, chat: Document, *people: Person) -> httpx.Response:
    body = {"user_ids": [one.id for one in people]}
    return who.rest.post(f"/chats/{chat['id']}/members", json=body)


def remove(who: Person, chat: Document, gone: Person) -> httpx.Response:
    return who.rest.delete(f"/chats/{chat['id']}/members/{gone.id}")


def make(who: Person, chat: Document, whom: Person, role: Any) -> httpx.Response:
    return who.rest.patch(f"/chats/{chat['id']}/members/{whom.id}", json={"role": role})


def roles(who: Person, chat: Document) -> dict[str, str]:
    """Who is there, by id, in the order in which they joined."""
    answer = who.rest.get(f"/chats/{chat['id']}/members", params={"limit": 200})
    assert answer.status_code == 200
    return {member["user"]["id"]: member["role"] for member in answer.json()["results"]}


def now(who: Person, chat: Document) -> Document:
    document: Document = who.rest.get(f"/chats/{chat['id']}").json()
    return document


def last_line(who: Person, chat: Document) -> Document:
    message: Document = who.rest.get(f"/chats/{chat['id']}/messages").json()["results"][-1]
    return message


async def assert_told_without_a_hole(socket: SocketClient, since: int, until: int) -> None:
    await socket.until(lambda frame: frame.get("version") == until)
    versions = [frame["version"] for frame in socket.frames if "version" in frame]
    assert versions == list(range(since + 1, until + 1))


# Adding


def test_who_is_added_is_a_member_and_reads_all_that_was_said(
    alice: Person, bob: Person, carol: Person, group: Document
):
    alice.says(group, "before Carol")
    error_of(carol.rest.get(f"/chats/{group['id']}"), 404)
    answer = add(alice, group, carol)
    assert answer.status_code == 200
    [member] = answer.json()["results"]
    assert member.keys() >= {"user", "role", "joined_at", "left_at", "last_read_seq"}
    assert (member["user"]["id"], member["role"], member["left_at"]) == (carol.id, "member", None)
    chat = now(carol, group)
    assert chat["member_count"] == 3
    assert chat["me"]["unread_count"] == 0
    assert chat["me"]["last_read_seq"] == 2
    said = carol.rest.get(f"/chats/{group['id']}/messages").json()["results"]
    assert "before Carol" in [message["content"] for message in said]
    assert last_line(bob, group)["system"] == {
        "kind": "added",
        "actor_id": alice.id,
        "user_ids": [carol.id],
        "name": None,
        "role": None,
    }


def test_several_take_one_version_each_and_one_message(
    alice: Person, bob: Person, carol: Person, mallory: Person, group: Document
):
    answer = add(alice, group, carol, bob, mallory, carol)
    named = {member["user"]["id"] for member in answer.json()["results"]}
    assert named == {bob.id, carol.id, mallory.id}
    assert len(answer.json()["results"]) == 3
    chat = now(alice, group)
    assert chat["version"] == group["version"] + 3
    assert chat["last_seq"] == group["last_seq"] + 1
    assert set(last_line(alice, group)["system"]["user_ids"]) == {carol.id, mallory.id}


def test_adding_one_who_is_there_changes_nothing(alice: Person, bob: Person, group: Document):
    make(alice, group, bob, "admin")
    before = now(alice, group)
    answer = add(alice, group, bob, alice)
    members = {one["user"]["id"]: one["role"] for one in answer.json()["results"]}
    assert members == {bob.id: "admin", alice.id: "owner"}
    assert now(alice, group) == before


def test_one_who_had_left_comes_back_as_member(alice: Person, bob: Person, group: Document):
    make(alice, group, bob, "admin")
    assert remove(bob, group, bob).status_code == 204
    error_of(bob.rest.get(f"/chats/{group['id']}"), 404)
    alice.says(group, "while Bob was away")
    answer = add(alice, group, bob)
    assert answer.json()["results"][0]["role"] == "member"
    assert answer.json()["results"][0]["left_at"] is None
    chat = now(bob, group)
    assert (chat["me"]["role"], chat["me"]["unread_count"]) == ("member", 0)
    assert chat["member_count"] == 2


async def test_adding_is_told_to_all_and_the_new_one_gets_the_chat_whole(
    alice: Person, bob: Person, carol: Person, mallory: Person, group: Document
):
    async with bob.socket() as old, carol.socket() as new, mallory.socket() as stranger:
        add(alice, group, carol)
        joined = await old.event("member.joined")
        assert joined["member"]["user"]["id"] == carol.id
        assert (await old.event("message.created"))["message"]["system"]["kind"] == "added"
        chat = (await new.event("chat.created"))["chat"]
        alice.says(group, "welcome")
        until = now(alice, group)["version"]
        await assert_told_without_a_hole(old, group["version"], until)
        await assert_told_without_a_hole(new, chat["version"], until)
        await stranger.settle()
        assert stranger.of_type("member.joined", "chat.created", "message.created") == []


def test_eight_who_add_one_at_once_add_them_once(alice: Person, carol: Person, group: Document):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: add(alice, group, carol), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    chat = now(alice, group)
    assert (chat["member_count"], chat["version"]) == (3, group["version"] + 2)


def test_pages_of_members_lead_to_everybody_once(alice: Person, person: Any):
    others = [person(f"p{number}") for number in range(6)]
    chat = alice.group_with(*others)
    page = alice.rest.get(f"/chats/{chat['id']}/members?limit=3").json()
    seen, sizes = [], []
    while True:
        seen += [member["user"]["id"] for member in page["results"]]
        sizes.append(len(page["results"]))
        if not page["next"]:
            break
        page = alice.rest.get(page["next"]).json()
    assert sizes == [3, 3, 1]
    assert seen == [alice.id, *(one.id for one in others)]


# Leaving and being removed


async def test_who_leaves_hears_no_more(alice: Person, bob: Person, carol: Person, group: Document):
    add(alice, group, carol)
    async with bob.socket() as gone, carol.socket() as stays:
        answer = remove(bob, group, bob)
        assert (answer.status_code, answer.content) == (204, b"")
        left = await stays.event("member.left")
        assert left["member"]["user"]["id"] == bob.id
        assert left["member"]["left_at"] is not None
        await gone.event("chat.removed", chat_id=group["id"])
        alice.says(group, "behind Bob's back")
        line = (await stays.event("message.created"))["message"]
        assert (line["system"]["kind"], line["system"]["actor_id"]) == ("left", bob.id)
        await stays.event("message.created")
        await gone.settle()
        told = [frame["version"] for frame in gone.frames if "version" in frame]
        assert max(told) == left["version"]
    assert roles(alice, group) == {alice.id: "owner", carol.id: "member"}
    assert bob.rest.get("/chats").json()["results"] == []


async def test_who_is_removed_hears_no_more(
    alice: Person, bob: Person, carol: Person, group: Document
):
    add(alice, group, carol)
    async with bob.socket() as gone, carol.socket() as stays:
        assert remove(alice, group, bob).status_code == 204
        await gone.event("chat.removed", chat_id=group["id"])
        left = await stays.event("member.left")
        facts = (await stays.event("message.created"))["message"]["system"]
        assert (facts["kind"], facts["actor_id"], facts["user_ids"]) == (
            "removed",
            alice.id,
            [bob.id],
        )
        await gone.settle()
        assert max(frame.get("version", 0) for frame in gone.frames) == left["version"]
    error_of(bob.rest.get(f"/chats/{group['id']}"), 404)


def test_removing_one_who_is_not_there_is_404(
    alice: Person, bob: Person, mallory: Person, group: Document
):
    assert remove(alice, group, bob).status_code == 204
    before = now(alice, group)
    for gone in (bob, mallory):
        error_of(remove(alice, group, gone), 404)
        error_of(make(alice, group, gone, "admin"), 404)
    assert now(alice, group) == before


def test_a_group_that_the_last_one_leaves_is_deleted(alice: Person, bob: Person, group: Document):
    assert remove(bob, group, bob).status_code == 204
    assert Chat.objects.filter(id=group["id"]).exists()
    assert remove(alice, group, alice).status_code == 204
    assert not Chat.objects.filter(id=group["id"]).exists()


# Who owns it next


def test_when_the_last_owner_leaves_the_longest_standing_admin_owns_it(
    alice: Person, bob: Person, carol: Person, person: Any
):
    dora = person("dora")
    chat = alice.group_with(bob, carol, dora)
    make(alice, chat, dora, "admin")
    make(alice, chat, carol, "admin")
    assert remove(alice, chat, alice).status_code == 204
    assert roles(bob, chat) == {bob.id: "member", carol.id: "owner", dora.id: "admin"}


def test_without_an_admin_it_is_the_longest_standing_member(
    alice: Person, bob: Person, carol: Person
):
    chat = alice.group_with(bob, carol)
    remove(bob, chat, bob)
    add(alice, chat, bob)
    remove(alice, chat, alice)
    assert roles(bob, chat) == {carol.id: "owner", bob.id: "member"}


def test_while_another_owner_is_there_nobody_is_made_one(alice: Person, bob: Person, carol: Person):
    chat = alice.group_with(bob, carol)
    make(alice, chat, carol, "owner")
    remove(alice, chat, alice)
    assert roles(bob, chat) == {bob.id: "member", carol.id: "owner"}


async def test_the_next_owner_is_told_without_a_hole_and_in_one_message(
    alice: Person, bob: Person, group: Document
):
    async with bob.socket() as socket:
        remove(alice, group, alice)
        updated = await socket.event("member.updated")
        assert (updated["member"]["user"]["id"], updated["member"]["role"]) == (bob.id, "owner")
        until = now(bob, group)["version"]
        assert until == group["version"] + 3
        await assert_told_without_a_hole(socket, group["version"], until)
        assert len(socket.of_type("message.created")) == 1


def test_when_the_last_owner_is_deactivated_the_next_owns_it(
    alice: Person, bob: Person, carol: Person
):
    chat = alice.group_with(bob, carol)
    make(alice, chat, carol, "admin")
    set_active(users=[alice.user], is_active=False)
    assert now(bob, chat)["version"] > chat["version"]
    assert roles(bob, chat)[carol.id] == "owner"
    assert roles(bob, chat)[alice.id] == "member"
    assert now(carol, chat)["me"]["role"] == "owner"


def test_a_deactivated_member_owns_nothing_next(alice: Person, bob: Person, carol: Person):
    chat = alice.group_with(bob, carol)
    set_active(users=[bob.user], is_active=False)
    remove(alice, chat, alice)
    assert roles(carol, chat) == {bob.id: "member", carol.id: "owner"}


# Roles


@pytest.mark.parametrize("role", ["admin", "owner"])
async def test_an_owner_gives_every_role(alice: Person, bob: Person, group: Document, role: str):
    async with bob.socket() as socket:
        answer = make(alice, group, bob, role)
        assert (answer.status_code, answer.json()["role"]) == (200, role)
        assert answer.json()["user"]["id"] == bob.id
        event = await socket.event("member.updated")
        assert (event["version"], event["member"]["role"]) == (group["version"] + 1, role)
    facts = last_line(bob, group)["system"]
    assert facts == {
        "kind": "role",
        "actor_id": alice.id,
        "user_ids": [bob.id],
        "name": None,
        "role": role,
    }
    assert make(alice, group, bob, "member").json()["role"] == "member"


def test_the_same_role_again_changes_nothing(alice: Person, bob: Person, group: Document):
    assert make(alice, group, bob, "member").status_code == 200
    assert make(alice, group, alice, "owner").status_code == 200
    assert now(alice, group) == group


@pytest.mark.parametrize("role", ["admin", "member"])
def test_the_last_owner_is_not_demoted(alice: Person, bob: Person, group: Document, role: str):
    assert error_of(make(alice, group, alice, role), 409)["code"] == "conflict"
    assert now(alice, group) == group
    make(alice, group, bob, "owner")
    assert make(alice, group, alice, role).status_code == 200
    error_of(make(bob, group, bob, role), 409)


def test_an_owner_who_is_deactivated_does_not_count(alice: Person, bob: Person, group: Document):
    make(alice, group, bob, "owner")
    set_active(users=[bob.user], is_active=False)
    error_of(make(alice, group, alice, "member"), 409)
    assert make(alice, group, bob, "member").status_code == 200


def test_two_owners_who_step_down_at_once_leave_one(alice: Person, bob: Person, carol: Person):
    chat = alice.group_with(bob, carol)
    make(alice, chat, bob, "owner")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: make(one, chat, one, "member"), (alice, bob)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sorted(roles(carol, chat).values()) == ["member", "member", "owner"]


# Reading them


def test_the_number_of_queries_does_not_grow_with_the_members(alice: Person, person: Any):
    people = [person(f"m{number}") for number in range(12)]
    few, many = (queries_for(alice, people[:size]) for size in (2, 12))
    assert few == many <= 4


def queries_for(who: Person, others: list[Person]) -> int:
    chat = who.group_with(*others)
    client = APIClient(headers=who.headers)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(f"/chats/{chat['id']}/members")
    assert len(answer.json()["results"]) == len(others) + 1
    return len(captured)


def test_a_page_of_members_ends_even_if_all_joined_at_one_moment(alice: Person):
    group = alice.group_with()
    now = timezone.now()
    people = User.objects.bulk_create(
        User(username=f"many-{alice.username}-{number}", email=f"{number}@{alice.username}")
        for number in range(1_050)
    )
    Membership.objects.bulk_create(
        Membership(chat_id=group["id"], user=user, joined_at=now, version=1, joined_version=1)
        for user in people
    )
    seen, url = [], f"/chats/{group['id']}/members?limit=200"
    while url:
        page = alice.rest.get(url).json()
        seen += [member["user"]["id"] for member in page["results"]]
        url = page["next"]
        assert len(seen) <= 1_051
    assert len(set(seen)) == 1_051


def test_who_is_deactivated_stays_where_they_are_and_joins_nothing(
    alice: Person, bob: Person, carol: Person, group: Document
):
    direct = alice.direct_chat_with(bob)
    set_active(users=[bob.user, carol.user], is_active=False)
    again = alice.rest.post("/chats", json={"type": "direct", "members": [bob.id]})
    assert (again.status_code, again.json()["id"]) == (200, direct["id"])
    here = f"/chats/{group['id']}"
    present = alice.rest.post(f"{here}/members", json={"user_ids": [bob.id]})
    assert present.status_code == 200
    for path, body, attr in [
        (f"{here}/members", {"user_ids": [carol.id]}, "user_ids"),
        ("/chats", {"type": "direct", "members": [carol.id]}, "members"),
        ("/chats", {"type": "group", "name": "x", "members": [carol.id]}, "members"),
    ]:
        error = error_of(alice.rest.post(path, json=body), 400)
        assert (error["code"], error["attr"]) == ("does_not_exist", attr)
    assert alice.rest.get(here).json()["version"] == group["version"]
