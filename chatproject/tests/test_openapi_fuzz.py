"""Requests made from the OpenAPI document, right and wrong ones, against a real server."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from chatproject.fields import parse_uuid
from chatproject.testing import Person
from messaging.openapi import document

OPERATIONS = [
    found.ok() for found in schemathesis.openapi.from_dict(document()).get_all_operations()
]
TAKING = [
    operation for operation in OPERATIONS if operation.body or any(operation.iter_parameters())
]
"""What takes nothing can't be asked wrongly."""
ANSWERED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = settings(
    max_examples=8,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Scene:
    """What the requests are about: a group of Alice's with Bob and a message in it."""

    def __init__(self, alice: Person, bob: Person, carol: Person) -> None:
        self.url = alice.server.url
        chat = alice.group_with(bob)
        message = alice.says(chat, "Who takes the boat?")
        self.path = {"chat_id": chat["id"], "message_id": message["id"], "user_id": bob.id}
        self.body = {"members": [carol.id], "user_ids": [carol.id], "reply_to": message["id"]}
        self.session = requests.Session()
        self.session.headers.update(alice.headers)

    def put_into(self, case: Case, mode: GenerationMode) -> None:
        """What could be an id becomes one that there is."""
        for name in case.path_parameters.keys() & self.path.keys():
            if parse_uuid(str(case.path_parameters[name])):
                case.path_parameters[name] = self.path[name]
        if mode.is_positive and "emoji" in case.path_parameters:
            case.path_parameters["emoji"] = "👍"
        if mode.is_positive and isinstance(case.body, dict):
            case.body |= {name: self.body[name] for name in case.body.keys() & self.body.keys()}


@pytest.fixture
def scene(alice: Person, bob: Person, carol: Person) -> Iterator[Scene]:
    scene = Scene(alice, bob, carol)
    with scene.session:
        yield scene


def ask(operation: Any, mode: GenerationMode, scene: Scene, checks: list[Any]) -> None:
    @EXAMPLES
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case) -> None:
        scene.put_into(case, mode)
        case.call_and_validate(base_url=scene.url, session=scene.session, checks=checks)

    each()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_answer_to_a_right_request_is_in_the_document(operation: Any, scene: Scene):
    ask(operation, GenerationMode.POSITIVE, scene, ANSWERED)


@pytest.mark.parametrize("operation", TAKING, ids=lambda operation: operation.label)
def test_every_wrong_request_is_refused_as_the_document_says(operation: Any, scene: Scene):
    ask(operation, GenerationMode.NEGATIVE, scene, [*ANSWERED, negative_data_rejection])
