"""Finding people."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Connection, ServerProcess, User
from chatproject.ids import new_id
from chatproject.testing import Person, error_of


def found(who: Person, **query: Any) -> list[str]:
    """Usernames, in the order of the answer."""
    answer = who.rest.get("/users", params=query)
    assert answer.status_code == 200, answer.text
    return [user["username"] for user in answer.json()["results"]]


def crowd(size: int) -> str:
    """Makes people of one name and returns what finds them all, and nobody else."""
    tag = new_id().hex[-12:]
    names = [f"c{number:03}-{tag}" for number in range(size)]
    User.objects.bulk_create(
        User(username=name, email=f"{name}@example.org", display_name=name) for name in names
    )
    return tag


def test_people_are_found_oneself_included(alice: Person, bob: Person):
    assert found(alice, search=alice.username) == [alice.username]
    assert found(alice, search=bob.username) == [bob.username]


def test_a_person_looks_the_same_in_the_list_and_alone(alice: Person, bob: Person):
    listed = alice.rest.get("/users", params={"search": bob.username}).json()["results"]
    assert listed == [alice.rest.get(f"/users/{bob.id}").json()]
    assert "email" not in listed[0]


def test_any_part_of_either_name_is_found(alice: Person, person: Any):
    tag = new_id().hex[-12:]
    dora = person("dora", display_name=f"Dora {tag} Núñez")
    assert found(alice, search=tag) == [dora.username]
    assert found(alice, search=tag[3:9].upper()) == [dora.username]
    assert found(alice, search=f"  {tag} Núñ ") == [dora.username]
    assert found(alice, search=dora.username[1:]) == [dora.username]
    assert found(alice, search=f"{tag}x") == []


@pytest.mark.parametrize("name", ["José Núñez", "Jose\u0301 Nu\u0301n\u0303ez", "JOSÉ NÚÑEZ"])
def test_names_are_found_whatever_the_case_and_the_accents(alice: Person, person: Any, name: str):
    tag = new_id().hex[-12:]
    jose = person("other", display_name=f"{name}-{tag}")
    for search in ("jose nunez", "Núñez", "NUÑEZ", "Nu\u0301n\u0303ez"):
        assert found(alice, search=f"{search}-{tag}") == [jose.username], search
    assert found(alice, search=f"nunes-{tag}") == []


def test_signs_that_are_no_accents_count(alice: Person, person: Any):
    tag = new_id().hex[-12:]
    names = ["हिन्दी", "김철수", "Søren", "Иван"]
    people = {name: person("other", display_name=f"{name}-{tag}") for name in names}
    for name, one in people.items():
        assert found(alice, search=f"{name}-{tag}") == [one.username]
    assert found(alice, search=f"हनद-{tag}") == []


@pytest.mark.parametrize("search", ["%", "_%_", "\\", "'", '"; drop table users; --', "👻" * 500])
def test_signs_of_the_database_stand_for_themselves(alice: Person, search: str):
    assert alice.username not in found(alice, search=search)


def test_who_is_deactivated_is_not_there(alice: Person, bob: Person):
    assert found(alice, search=bob.username) == [bob.username]
    User.objects.filter(id=bob.id).update(is_active=False)
    assert found(alice, search=bob.username) == []
    error_of(alice.rest.get(f"/users/{bob.id}"), 404)


async def test_who_is_online_can_be_asked_for(alice: Person, bob: Person):
    async with bob.socket() as socket:
        await socket.settle()
        assert found(alice, online="true", search=bob.username) == [bob.username]
        assert found(alice, online="true", search=alice.username) == []
        assert found(alice, online="false", search=alice.username) == [alice.username]
        assert found(alice, online="false", search=bob.username) == [bob.username]


def test_pages_lead_to_everybody_once_and_back(alice: Person):
    tag = crowd(7)
    page = alice.rest.get("/users", params={"search": tag, "limit": 3}).json()
    assert page["previous"] is None
    pages = [page]
    while page["next"]:
        page = alice.rest.get(page["next"]).json()
        pages.append(page)
    sizes = [len(page["results"]) for page in pages]
    assert sizes == [3, 3, 1]
    seen = [user["username"] for page in pages for user in page["results"]]
    assert seen == [f"c{number:03}-{tag}" for number in range(7)]
    back = alice.rest.get(pages[2]["previous"]).json()
    assert back["results"] == pages[1]["results"]


def test_the_next_page_is_below_the_servers_own_address(alice: Person):
    page = alice.rest.get("/users", params={"search": crowd(2), "limit": 1}).json()
    assert urlsplit(page["next"]).netloc == urlsplit(alice.server.url).netloc


def test_fifty_people_a_page_unless_told(alice: Person):
    tag = crowd(51)
    assert len(found(alice, search=tag)) == 50
    assert len(found(alice, search=tag, limit=200)) == 51
    assert len(found(alice, search=tag, limit=1)) == 1


def test_the_number_of_queries_does_not_grow_with_the_people(alice: Person):
    few, many = (queries_for(alice, crowd(size)) for size in (3, 50))
    assert few == many <= 4


def test_the_number_of_queries_does_not_grow_with_those_online(alice: Person):
    process = ServerProcess.objects.create()
    few, many = crowd(3), crowd(50)
    people = User.objects.filter(Q(username__endswith=few) | Q(username__endswith=many))
    Connection.objects.bulk_create(Connection(process=process, user=user) for user in people)
    counts = [queries_for(alice, tag, online="true") for tag in (few, many)]
    process.delete()
    assert counts[0] == counts[1] <= 4


def queries_for(who: Person, search: str, **query: str) -> int:
    client = APIClient(headers=who.headers)
    with CaptureQueriesContext(connection) as captured:
        answer = client.get("/users", {"search": search, **query})
    assert len(answer.json()["results"]) >= 3
    return len(captured)
