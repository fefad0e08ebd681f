"""Who may do what: the table of the protocol, a row a route."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from chatproject.ids import new_id
from chatproject.testing import Person, Server, error_of

Document = dict[str, Any]

ROLES = ("stranger", "former", "member", "admin", "owner")
NAME, TOPIC, ME = {"name": "New"}, {"topic": "New"}, {"me": {"pinned": True}}
# What each of the roles above gets.
TABLE: list[tuple[str, Any, tuple[int, int, int, int, int]]] = [
    ("GET /chats/{chat}", None, (404, 404, 200, 200, 200)),
    ("PATCH /chats/{chat}", NAME, (404, 404, 403, 200, 200)),
    ("PATCH /chats/{chat}", TOPIC, (404, 404, 403, 200, 200)),
    ("PATCH /chats/{chat}", ME, (404, 404, 200, 200, 200)),
    ("PATCH /chats/{chat}", NAME | ME, (404, 404, 403, 200, 200)),
    ("DELETE /chats/{chat}", None, (404, 404, 403, 403, 204)),
    ("GET /chats/{chat}/members", None, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/members", {"user_ids": ["{newcomer}"]}, (404, 404, 403, 200, 200)),
    ("POST /chats/{chat}/members", {"user_ids": ["{plain}"]}, (404, 404, 403, 200, 200)),
    ("PATCH /chats/{chat}/members/{plain}", {"role": "admin"}, (404, 404, 403, 403, 200)),
    ("PATCH /chats/{chat}/members/{self}", {"role": "owner"}, (404, 404, 403, 403, 200)),
    ("PATCH /chats/{chat}/members/{an_admin}", {"role": "member"}, (404, 404, 403, 403, 200)),
    ("PATCH /chats/{chat}/members/{an_owner}", {"role": "member"}, (404, 404, 403, 403, 200)),
    ("DELETE /chats/{chat}/members/{plain}", None, (404, 404, 403, 204, 204)),
    ("DELETE /chats/{chat}/members/{an_admin}", None, (404, 404, 403, 403, 204)),
    ("DELETE /chats/{chat}/members/{an_owner}", None, (404, 404, 403, 403, 204)),
    ("DELETE /chats/{chat}/members/{self}", None, (404, 404, 204, 204, 204)),
    ("GET /chats/{chat}/messages", None, (404, 404, 200, 200, 200)),
    ("GET /chats/{chat}/changes?since=0", None, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/messages", {"content": "x"}, (404, 404, 201, 201, 201)),
    ("PATCH /chats/{chat}/messages/{theirs}", {"content": "x"}, (404, 404, 403, 403, 403)),
    ("DELETE /chats/{chat}/messages/{theirs}", None, (404, 404, 403, 204, 204)),
    ("PUT /chats/{chat}/messages/{theirs}/reactions/👍", None, (404, 404, 200, 200, 200)),
    ("DELETE /chats/{chat}/messages/{theirs}/reactions/👍", None, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/read", {"seq": 1}, (404, 404, 200, 200, 200)),
    ("POST /chats/{chat}/unread", {"seq": 1}, (404, 404, 200, 200, 200)),
]
FRAMES: list[tuple[str, Document]] = [
    ("message.send", {"content": "x"}),
    ("message.edit", {"message_id": "{theirs}", "content": "x"}),
    ("message.delete", {"message_id": "{theirs}"}),
    ("reaction.add", {"message_id": "{theirs}", "emoji": "👍"}),
    ("reaction.remove", {"message_id": "{theirs}", "emoji": "👍"}),
    ("read", {"seq": 1}),
    ("unread", {"seq": 1}),
    ("typing", {}),
]


class Scene(NamedTuple):
    """A group with somebody of every role in it, and what the table's names stand for."""

    people: dict[str, Person]
    names: dict[str, str]

    def ask(self, role: str, request: str, body: Any) -> httpx.Response:
        method, path = request.split(" ", 1)
        who = self.people[role]
        names = {**self.names, "self": who.id}
        return who.rest.request(method, filled(path, names), json=filled(body, names))

    def state(self) -> list[Any]:
        """All that the owner sees of the chat, but for who is online."""
        changes = self.ask("owner", "GET /chats/{chat}/changes?since=0", None).json()
        members = [{**member, "user": member["user"]["id"]} for member in changes["members"]]
        return [changes["chat"], changes["messages"], members]


def filled(value: Any, names: dict[str, str]) -> Any:
    """The value with the table's names replaced, wherever a text holds one."""
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value


@pytest.fixture
def scene(server: Server) -> Iterator[Scene]:
    """A scene of a test's own, for what changes something."""
    yield from set_up(server)


@pytest.fixture(scope="module")
def shared_scene(server: Server) -> Iterator[Scene]:
    """For what changes nothing."""
    yield from set_up(server)


def set_up(server: Server) -> Iterator[Scene]:
    cast = {name: Person(server, name) for name in (*ROLES, "plain", "ann", "otto", "newcomer")}
    yield scene_of(cast)
    for person in cast.values():
        person.rest.close()


def scene_of(cast: dict[str, Person]) -> Scene:
    people = {role: cast[role] for role in ROLES}
    plain, an_admin, an_owner = cast["plain"], cast["ann"], cast["otto"]
    owner = people["owner"]
    inside = [people["former"], people["member"], people["admin"], plain, an_admin, an_owner]
    chat = owner.group_with(*inside)
    here = f"/chats/{chat['id']}/members"
    for one, role in ((people["admin"], "admin"), (an_admin, "admin"), (an_owner, "owner")):
        assert owner.rest.patch(f"{here}/{one.id}", json={"role": role}).status_code == 200
    assert owner.rest.delete(f"{here}/{people['former'].id}").status_code == 204
    names = {
        "chat": chat["id"],
        "theirs": plain.says(chat, "Plain's own")["id"],
        "plain": plain.id,
        "an_admin": an_admin.id,
        "an_owner": an_owner.id,
        "newcomer": cast["newcomer"].id,
    }
    return Scene(people, names)


def test_the_scene_is_as_the_table_takes_it(scene: Scene):
    members = scene.ask("owner", "GET /chats/{chat}/members", None).json()["results"]
    by_id = {member["user"]["id"]: member["role"] for member in members}
    assert [by_id.get(scene.people[role].id) for role in ROLES] == [
        *(None, None, "member", "admin", "owner")
    ]
    assert [by_id[scene.names[name]] for name in ("plain", "an_admin", "an_owner")] == [
        *("member", "admin", "owner")
    ]


CELLS = [
    pytest.param(role, request, body, status, id=f"{role} {request} {body or ''}")
    for request, body, statuses in TABLE
    for role, status in zip(ROLES, statuses, strict=True)
]
REFUSED = [cell for cell in CELLS if cell.values[3] >= 400]
ALLOWED = [cell for cell in CELLS if cell not in REFUSED]
# After these the scene is another.
LASTING = [cell for cell in ALLOWED if re.match("DELETE|.*/members", cell.values[1])]


@pytest.mark.parametrize(
    ("role", "request_", "body", "status"), [cell for cell in ALLOWED if cell not in LASTING]
)
def test_who_may_do_it_does_it(
    shared_scene: Scene, role: str, request_: str, body: Any, status: int
):
    assert shared_scene.ask(role, request_, body).status_code == status


@pytest.mark.parametrize(("role", "request_", "body", "status"), LASTING)
def test_who_may_change_who_is_there_does(
    scene: Scene, role: str, request_: str, body: Any, status: int
):
    answer = scene.ask(role, request_, body)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("role", "request_", "body", "status"), REFUSED)
def test_who_may_not_changes_nothing(
    shared_scene: Scene, role: str, request_: str, body: Any, status: int
):
    before = shared_scene.state()
    answer = shared_scene.ask(role, request_, body)
    code = {403: "permission_denied", 404: "not_found"}[status]
    assert error_of(answer, status)["code"] == code
    assert shared_scene.state() == before


@pytest.mark.parametrize("role", ["stranger", "former"])
def test_what_is_not_ones_own_looks_as_if_it_were_not_there(shared_scene: Scene, role: str):
    nowhere = shared_scene._replace(names={**shared_scene.names, "chat": str(new_id())})
    for request, body, _ in TABLE:
        here, there = (one.ask(role, request, body) for one in (shared_scene, nowhere))
        assert (here.status_code, here.content) == (there.status_code, there.content)


@pytest.mark.parametrize("role", ["stranger", "former"])
async def test_the_socket_knows_as_little(scene: Scene, role: str):
    async with scene.people["member"].socket() as inside:
        for kind, fields in FRAMES:
            given = filled({"chat_id": "{chat}", **fields}, scene.names)
            answer = await inside.ask(kind, **given)
            is_own = kind not in ("message.edit", "message.delete")
            assert answer["type"] == "ok" if is_own else answer["errors"][0]["code"] != "not_found"
    before = scene.state()
    async with scene.people[role].socket() as outside:
        for kind, fields in FRAMES:
            answer = await outside.ask(kind, **filled({"chat_id": "{chat}", **fields}, scene.names))
            assert answer["type"] == "error"
            assert answer["errors"][0]["code"] == "not_found"
    assert scene.state() == before


def test_one_may_do_all_to_ones_own_message(scene: Scene):
    for role in ("member", "admin", "owner"):
        own = scene.people[role].says({"id": scene.names["chat"]}, "mine")
        mine = scene._replace(names={**scene.names, "theirs": own["id"]})
        edit, delete = "PATCH /chats/{chat}/messages/{theirs}", TABLE[21][0]
        assert mine.ask(role, edit, {"content": "mine!"}).status_code == 200
        assert mine.ask(role, delete, None).status_code == 204
