"""A group with somebody of every role in it, for the tables of who may do what."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx

from accounts.actions import set_active
from chatproject.testing import Person, Server
from chatproject.testing.cast import web_session

ROLES = ("stranger", "former", "member", "admin", "owner")
OTHERS = ("plain", "ann", "otto", "newcomer")


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


def set_up(server: Server) -> Iterator[Scene]:
    cast = {name: Person(server, name) for name in (*ROLES, *OTHERS)}
    yield scene_of(cast)
    for person in cast.values():
        person.rest.close()


def set_up_with_all(server: Server) -> Iterator[Scene]:
    """The same with a member who was deactivated since, signed in on the page too (``page``), and
    a group of the stranger's own.
    """
    for scene in set_up(server):
        owner, stranger = scene.people["owner"], scene.people["stranger"]
        gone = Person(server, "gone")
        body = {"user_ids": [gone.id]}
        owner.rest.post(filled("/chats/{chat}/members", scene.names), json=body).raise_for_status()
        gone.page = web_session(gone)  # type: ignore[attr-defined]
        set_active(users=[gone.user], is_active=False)
        own = stranger.group_with(name="Mallory's own")
        names = scene.names | {"own": own["id"], "elsewhere": scene.names["theirs"]}
        yield Scene(scene.people | {"deactivated": gone}, names)
        gone.rest.close()
