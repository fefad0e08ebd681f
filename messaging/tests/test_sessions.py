"""A socket lives no longer than the sign-in behind it."""

import asyncio
import contextlib
import time
from datetime import timedelta
from typing import Any

import pytest
from websockets import ConnectionClosed

from accounts.actions import end_sign_ins, set_active, start_sign_in
from accounts.tokens import access_token, refresh_token
from chatproject.testing import PASSWORD, Person


def _other_device(who: Person) -> dict[str, Any]:
    """Options that open a socket by another sign-in of the same person."""
    sign_in = start_sign_in(user=who.user, kind="token")
    return {"additional_headers": {"Authorization": f"Bearer {access_token(sign_in)}"}}


async def test_logout_closes_this_devices_sockets_and_no_others(alice: Person):
    other = _other_device(alice)
    async with alice.socket() as one, alice.socket() as two, alice.socket(**other) as stays:
        started = time.monotonic()
        body = {"refresh": alice.refresh}
        answer = await asyncio.to_thread(lambda: alice.rest.post("/auth/logout", json=body))
        assert answer.status_code == 204
        assert [await one.close_code(), await two.close_code()] == [4401, 4401]
        assert time.monotonic() - started < 2
        assert [frame["type"] for frame in one.frames] == ["hello"]
        assert (await stays.ask("ping"))["type"] == "ok"
    assert alice.rest.get("/users/me").status_code == 401


async def test_a_new_password_closes_every_other_device(alice: Person):
    other = _other_device(alice)
    async with alice.socket() as stays, alice.socket(**other) as ends:
        body = {"old_password": PASSWORD, "new_password": "another horse 10"}
        answer = await asyncio.to_thread(lambda: alice.rest.post("/auth/password", json=body))
        assert answer.status_code == 204, answer.text
        assert await ends.close_code(timeout=2) == 4401
        assert (await stays.ask("ping"))["type"] == "ok"


FRAMES: list[tuple[str, dict[str, Any]]] = [
    ("message.send", {"content": "x"}),
    ("message.edit", {"content": "x"}),
    ("message.delete", {}),
    ("reaction.add", {"emoji": "👍"}),
    ("read", {"seq": 2}),
    ("typing", {}),
    ("sync", {"chats": {}}),
    ("presence.watch", {"user_ids": []}),
]


async def test_nothing_is_accepted_after_the_sign_in_has_ended_though_the_socket_is_open(
    alice: Person, bob: Person, group: dict[str, Any]
):
    """Ended by this process, of which the server hears only by its sweep, perhaps in between."""
    message = alice.says(group, "stays")
    where = {"chat_id": group["id"], "message_id": message["id"]}
    before = bob.rest.get(f"/chats/{group['id']}").json()
    left = list(FRAMES)
    for _ in range(5):
        sign_in = start_sign_in(user=alice.user, kind="token")
        bearer = {"Authorization": f"Bearer {access_token(sign_in)}"}
        async with alice.socket(additional_headers=bearer) as socket:
            end_sign_ins(sign_ins=[sign_in])
            with contextlib.suppress(ConnectionClosed):
                while left:
                    answer = await socket.ask(left[0][0], **where, **left[0][1])
                    assert answer["type"] == "error", left[0]
                    assert answer["errors"][0]["code"] == "not_authenticated"
                    left.pop(0)
            assert await socket.close_code(timeout=6) == 4401
        if not left:
            break
    assert left == []
    assert bob.rest.get(f"/chats/{group['id']}").json() == before


async def test_who_is_deactivated_is_closed_with_4403_and_may_not_return(
    alice: Person, bob: Person, group: dict[str, Any]
):
    async with bob.socket() as socket, alice.socket() as stays:
        set_active(users=[bob.user], is_active=False)
        answer = await socket.ask("message.send", chat_id=group["id"], content="x")
        assert answer["errors"][0]["code"] == "not_authenticated"
        assert await socket.close_code(timeout=6) == 4403
        assert (await stays.ask("ping"))["type"] == "ok"
    assert bob.rest.get("/chats").status_code == 401
    with pytest.raises(Exception, match="4401"):
        async with bob.socket():
            pass


async def test_a_token_that_runs_out_closes_the_socket_unless_it_was_renewed(
    alice: Person, bob: Person
):
    def short(who: Person) -> dict[str, Any]:
        token = access_token(who.sign_in, timedelta(seconds=2))
        return {"additional_headers": {"Authorization": f"Bearer {token}"}}

    async with alice.socket(**short(alice)) as ends, bob.socket(**short(bob)) as stays:
        answer = await stays.ask("auth", token=bob.access)
        assert answer["type"] == "ok"
        assert answer["expires_at"] > stays.hello["expires_at"]
        assert await ends.close_code(timeout=10) == 4401
        await asyncio.sleep(0.5)
        assert (await stays.ask("ping"))["type"] == "ok"


async def test_a_renewal_must_be_for_the_same_person(
    alice: Person, bob: Person, group: dict[str, Any]
):
    expired = access_token(alice.sign_in, timedelta(seconds=-1))
    async with alice.socket() as socket:
        for token in (bob.access, expired, alice.refresh, "nonsense"):
            answer = await socket.ask("auth", token=token)
            assert answer["type"] == "error", token
        sent = await socket.ask("message.send", chat_id=group["id"], content="still me")
        assert sent["message"]["sender_id"] == alice.id


async def test_a_renewed_socket_lives_and_ends_with_its_new_sign_in(alice: Person):
    newer = start_sign_in(user=alice.user, kind="token")
    async with alice.socket() as socket:
        assert (await socket.ask("auth", token=access_token(newer)))["type"] == "ok"
        body = {"refresh": alice.refresh}
        await asyncio.to_thread(lambda: alice.rest.post("/auth/logout", json=body))
        assert (await socket.ask("sync", chats={}))["type"] == "ok"
        body = {"refresh": refresh_token(newer)}
        await asyncio.to_thread(lambda: alice.rest.post("/auth/logout", json=body))
        assert await socket.close_code(timeout=2) == 4401


async def test_refreshing_leaves_the_socket_open_and_late_reuse_closes_it(alice: Person):
    async with alice.socket() as socket:
        body = {"refresh": alice.refresh}
        answer = await asyncio.to_thread(lambda: alice.rest.post("/auth/refresh", json=body))
        assert answer.status_code == 200
        assert (await socket.ask("auth", token=answer.json()["access"]))["type"] == "ok"
        alice.sign_in.refresh_from_db()
        alice.sign_in.exchanges["0"] -= 31
        alice.sign_in.save(update_fields=["exchanges"])
        again = await asyncio.to_thread(lambda: alice.rest.post("/auth/refresh", json=body))
        assert again.status_code == 401
        assert await socket.close_code(timeout=2) == 4401
