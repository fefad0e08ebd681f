"""All the ways by which somebody is removed from a group, or signed out."""

from collections.abc import Callable
from typing import Any

import httpx

from accounts.actions import start_sign_in
from accounts.tokens import access_token
from chatproject.testing import PASSWORD, Person, Server
from chatproject.testing.cast import web_session

NEW_PASSWORD = "lake 28 goes on"
SIGNED_OUT, DEACTIVATED = 4401, 4403


class Browser:
    """A page that somebody is signed in on, without a script."""

    def __init__(self, who: Person) -> None:
        self.session, self._url = web_session(who), who.server.url

    def submit(self, path: str, **fields: Any) -> None:
        cookies = {"sessionid": self.session}
        with httpx.Client(base_url=self._url, cookies=cookies, timeout=30, verify=False) as client:
            client.get("/settings")
            token = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}
            answer = client.post(path, data={**fields, **token})
            assert answer.status_code == 302, answer.text


class Stage:
    """A group of Alice's with a victim for each way, and the boss, who runs the installation."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.people: list[Person] = []
        self.alice, self.bob = self._person("alice"), self._person("bob")
        self.boss = self._person("boss", is_staff=True, is_superuser=True)
        self.victims = {way: self._person("victim") for way in WAYS}
        self.page_of_one = Browser(self.victims["logged out on the page"])
        self.chat = self.alice.group_with(self.bob, *self.victims.values())

    def _person(self, name: str, **facts: Any) -> Person:
        self.people.append(Person(self.server, name, **facts))
        return self.people[-1]

    def remove(self, who: Person) -> None:
        path = f"/chats/{self.chat['id']}/members/{who.id}"
        self.alice.rest.delete(path).raise_for_status()

    def remove_on_the_page(self, who: Person) -> None:
        path = f"/c/{self.chat['id']}/settings"
        Browser(self.alice).submit(path, action="remove", member=who.id)

    def leave(self, who: Person) -> None:
        path = f"/chats/{self.chat['id']}/members/{who.id}"
        who.rest.delete(path).raise_for_status()

    def log_out(self, who: Person) -> None:
        body = {"refresh": who.refresh}
        self.alice.rest.post("/auth/logout", json=body).raise_for_status()

    def log_out_on_the_page(self, who: Person) -> None:
        self.page_of_one.submit("/logout")

    def change_password(self, who: Person) -> None:
        bearer = access_token(start_sign_in(user=who.user, kind="token"))
        body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        headers = {"Authorization": f"Bearer {bearer}"}
        who.rest.post("/auth/password", json=body, headers=headers).raise_for_status()

    def change_password_on_the_page(self, who: Person) -> None:
        passwords = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
        Browser(who).submit("/settings", section="password", **passwords)

    def end_in_the_admin(self, who: Person) -> None:
        self._act("signin", "end", str(who.sign_in.id))

    def end_all_in_the_admin(self, who: Person) -> None:
        self._act("user", "end_all_sessions", who.id)

    def deactivate_in_the_admin(self, who: Person) -> None:
        self._act("user", "deactivate", who.id)

    def set_password_in_the_admin(self, who: Person) -> None:
        path = f"/admin/accounts/user/{who.id}/password/"
        Browser(self.boss).submit(path, password1=NEW_PASSWORD, password2=NEW_PASSWORD)

    def _act(self, model: str, action: str, row: str) -> None:
        chosen = {"action": action, "_selected_action": row}
        Browser(self.boss).submit(f"/admin/accounts/{model}/", **chosen)


WAYS: dict[str, tuple[Callable[[Stage, Person], None], int | None]] = {
    "removed": (Stage.remove, None),
    "removed on the page": (Stage.remove_on_the_page, None),
    "left": (Stage.leave, None),
    "logged out": (Stage.log_out, SIGNED_OUT),
    "logged out on the page": (Stage.log_out_on_the_page, SIGNED_OUT),
    "new password": (Stage.change_password, SIGNED_OUT),
    "new password on the page": (Stage.change_password_on_the_page, SIGNED_OUT),
    "ended in the admin": (Stage.end_in_the_admin, SIGNED_OUT),
    "all ended in the admin": (Stage.end_all_in_the_admin, SIGNED_OUT),
    "new password in the admin": (Stage.set_password_in_the_admin, SIGNED_OUT),
    "deactivated in the admin": (Stage.deactivate_in_the_admin, DEACTIVATED),
}
"""What is done to whom, and the code that closes their sockets: none for who is removed."""
