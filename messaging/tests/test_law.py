"""The law: state before + events = state after, for every route and every frame that writes."""

from typing import Any

import pytest

from accounts.actions import set_active
from chatproject.openapi import WRITES
from chatproject.testing import Person
from messaging import asyncapi, openapi
from messaging.tests.law.cases import ADD, CASES, GIVE_ROLE, NO_STATE, Case
from messaging.tests.law.stage import Stage

pytestmark = pytest.mark.services


@pytest.fixture
def stage(alice: Person, bob: Person, person: Any) -> Stage:
    return Stage(alice, bob, person("dora"))


@pytest.mark.parametrize("theme", CASES)
async def test_what_was_held_and_what_is_told_make_what_there_is(stage: Stage, theme: str):
    others = ["dora"] if theme in ("chats", "seats") else []
    async with stage.listening("bob", "bob", "alice", *others):
        for case in CASES[theme]:
            await stage.ask(case)
        stage.check_by_rest()


async def test_an_owner_who_is_deactivated_leaves_the_same_to_all(stage: Stage):
    dora = stage.people["dora"]

    async def deactivate() -> None:
        set_active(users=[dora.user], is_active=False)

    async with stage.listening("bob", "alice"):
        await stage.ask(Case("alice", ADD, {"user_ids": ["{dora}"]}))
        await stage.ask(Case("alice", GIVE_ROLE, {"role": "owner"}))
        await stage.ask(Case("alice", GIVE_ROLE, {"role": "member"}, about="alice"))
        before = stage.replicas[0][2].copy()
        await stage.check(deactivate(), Case("nobody", "deactivate"))
        assert stage.replicas[0][2].state != before.state
        stage.check_by_rest()


def test_every_route_that_writes_has_its_case():
    routes = {
        f"{method.upper()} {path}"
        for path, methods in openapi.document()["paths"].items()
        for method in methods.keys() & {method.lower() for method in WRITES}
    }
    assert routes == {case.ask for case in all_cases() if " " in case.ask} | NO_STATE.keys()


def test_every_frame_has_its_case():
    names = asyncapi.document()["components"]["messages"]
    frames = {name.removeprefix("frame.") for name in names if name.startswith("frame.")}
    assert frames == {case.ask for case in all_cases() if " " not in case.ask}


def all_cases() -> list[Case]:
    return [case for cases in CASES.values() for case in cases]
