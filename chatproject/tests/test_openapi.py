"""The OpenAPI document: whole, valid, and the same as the routes; and the page that shows it."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from chatproject.schemas import ref
from messaging import openapi, schemas

METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENT = openapi.document()


def routes(patterns: list[Any]) -> Iterator[tuple[str, Any]]:
    """Every address of a REST view, with its class."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver) and str(pattern.pattern) == "":
            yield from routes(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "cls"):
            yield "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)), pattern.callback.cls


def test_the_document_and_the_routes_name_the_same_operations():
    answered_in_json = [
        (path, view) for path, view in routes(get_resolver().url_patterns) if view.schema
    ]
    routed = {
        (path, method)
        for path, view in answered_in_json
        for method in METHODS
        if hasattr(view, method)
    }
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}
    assert len(routed) > 25
    assert described == routed


def test_it_is_valid_and_made_without_a_warning():
    validate_schema(DOCUMENT)
    openapi.document.__wrapped__()
    assert not GENERATOR_STATS


def test_it_is_the_same_each_time():
    assert openapi.document.__wrapped__() == DOCUMENT


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_reference_leads_to_a_component_and_every_object_is_referred_to():
    components = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in DOCUMENT["components"][kind]
    }
    of_events_only = {ref("SharedChat")["$ref"]}
    assert set(references(DOCUMENT)) == components - of_events_only
    assert schemas.components().keys() <= DOCUMENT["components"]["schemas"].keys()


def test_every_operation_says_what_it_does_and_how_to_sign_in():
    operations = [one for item in DOCUMENT["paths"].values() for one in item.values()]
    assert all(one["summary"] for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)
    named = {name for one in operations for way in one.get("security", []) for name in way}
    assert named == DOCUMENT["components"]["securitySchemes"].keys()
    assert all("401" in one["responses"] for one in operations if one.get("security"))


@pytest.mark.parametrize(
    ("body", "field", "schema"),
    [
        ("Login", "password", {"type": "string", "maxLength": 1024}),
        ("ChatChange", "name", {"type": "string"}),
        ("Profile", "settings", {"type": "object"}),
        ("Unread", "seq", {"type": "integer", "minimum": 1, "maximum": 2**53}),
        ("NewMembers", "user_ids", {"type": "array", "minItems": 1}),
        ("Role", "role", {"enum": ["owner", "admin", "member"]}),
    ],
)
def test_what_an_operation_takes_is_read_off_its_serializer(
    body: str, field: str, schema: dict[str, Any]
):
    found = DOCUMENT["components"]["schemas"][body]["properties"][field]
    assert found.items() >= schema.items()


def test_a_body_may_be_left_out_where_nothing_in_it_is_required():
    bodies = {
        (method, path): operation["requestBody"].get("required", False)
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
        if "requestBody" in operation
    }
    optional = {operation for operation, is_required in bodies.items() if not is_required}
    assert optional == {("patch", "/users/me"), ("patch", "/chats/{chat_id}")}
    assert len(bodies) > 10


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/yaml"])
def test_anybody_gets_it_in_json_whatever_they_accept(anybody: httpx.Client, accept: str):
    answer = anybody.get("/schema", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == DOCUMENT


def test_the_page_shows_every_operation_with_nothing_from_elsewhere(
    open_page: Callable[..., Any], server: Any
):
    page = open_page(path="/docs")
    page.locator(".opblock").first.wait_for()
    count = sum(len(item) for item in DOCUMENT["paths"].values())
    assert page.locator(".opblock").count() == count
    assert page.get_by_role("link", name="AsyncAPI").get_attribute("href") == "/schema/ws"
    loaded = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert len(loaded) >= 4
    assert all(name.startswith((server.url, "data:")) for name in loaded), loaded


def test_the_page_loosens_its_policy_by_the_names_of_two_others_only(anybody: httpx.Client):
    def policy(path: str) -> dict[str, str]:
        header = anybody.get(path).headers["content-security-policy"]
        return dict(part.strip().split(" ", 1) for part in header.split(";"))

    docs, others = policy("/docs"), policy("/login")
    assert docs.pop("trusted-types") == "default dompurify"
    assert others.pop("trusted-types") == "message-html"
    assert docs == others
