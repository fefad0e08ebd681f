"""How drf-spectacular reads our views and fields. Loaded when somebody asks for the document."""

import re
from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_parameter_type

from chatproject.input_schemas import input_schema
from chatproject.operations import Operation, operation_of
from chatproject.schemas import Schema, ref

TAGS = {
    "auth": "Accounts and tokens.",
    "users": "People.",
    "messages": "What is said in a chat.",
    "members": "Who is in a chat.",
    "chats": "Where it is said.",
    "server": "The server itself.",
}
"""An address has the first of these that is in it."""
WRITES = ("POST", "PUT", "PATCH", "DELETE")

SECURITY_SCHEMES: dict[str, Schema] = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "session": {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRFToken",
        "description": f"Equal to the cookie `{settings.CSRF_COOKIE_NAME}`.",
    },
}

_ERRORS = {
    400: "The input is wrong: `attr` names the field.",
    401: "Not signed in.",
    403: "Signed in, and not allowed.",
    404: "Not there, or not yours to know of.",
    409: "That does not fit what is there.",
    413: "The body is over 1 MiB.",
    415: "The body is not JSON.",
    429: "Too many at once.",
    503: "Nothing was changed, or it is unknown: ask again, with the same `client_id`.",
}
_SECONDS = {"schema": {"type": "integer", "minimum": 0}, "description": "Seconds to wait."}
_HEADERS = {
    401: {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def error_name(status: int) -> str:
    """``NotFound``: the component under which the document has this error."""
    return HTTPStatus(status).phrase.title().replace(" ", "")


def error_responses() -> dict[str, Schema]:
    return {
        error_name(status): {
            "description": text,
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
            "content": {"application/json": {"schema": ref("Error")}},
        }
        for status, text in _ERRORS.items()
    }


class Generator(SchemaGenerator):
    def create_view(self, callback: Any, method: str, request: Any = None) -> Any:
        view = super().create_view(callback, method, request)
        self._set_schema_to_view(view, Description())
        return view


class Description(AutoSchema):
    """One operation, as ``chatproject.operations`` has it; what says nothing is left out."""

    @property
    def _said(self) -> Operation:
        said = operation_of(self.view, self.method)
        assert said
        return said

    def is_excluded(self) -> bool:
        return operation_of(self.view, self.method) is None

    def get_operation_id(self) -> str:
        """The address in words: ``get_chats``, ``get_chats_chat_id_members``."""
        return "_".join([self.method.lower(), *re.findall(r"\w+", self.path)])

    def get_summary(self) -> str:
        return self._said.summary

    def get_description(self) -> str:  # type: ignore[override]
        return self._said.text

    def get_tags(self) -> list[str]:
        parts = re.findall(r"\w+", self.path)
        return [next((tag for tag in TAGS if tag in parts), "server")]

    def get_auth(self) -> list[Schema]:
        if self._is_public:
            return []
        return [
            {"bearer": []},
            {"session": [], "csrf": []} if self.method in WRITES else {"session": []},
        ]

    @property
    def _is_public(self) -> bool:
        return not self.view.get_authenticators()

    def _get_parameters(self) -> list[Schema]:
        names = re.findall(r"{(\w+)}", self.path)
        return self._resolve_path_parameters(names) + [
            build_parameter_type(
                name=one.name,
                schema=one.schema,
                location="query",
                required=one.is_required,
                description=one.text,
            )
            for one in self._said.parameters
        ]

    def _get_request_body(self, direction: Any = "request") -> Schema | None:
        if self._said.body is None:
            return None
        schema = input_schema(self._said.body)
        name = self._said.body.__name__.removesuffix("Serializer")
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, self._said.body)
        self.registry.register_on_missing(component)
        content = {"content": {"application/json": {"schema": component.ref}}}
        return {"required": True, **content} if schema["required"] else content

    def _get_response_bodies(self, direction: Any = "response") -> Schema:
        answers = {
            str(status): _answer(status, schema) for status, schema in self._said.answers.items()
        }
        errors = {
            str(status): {"$ref": f"#/components/responses/{error_name(status)}"}
            for status in sorted(self._errors())
        }
        return {**answers, **errors}

    def _errors(self) -> set[int]:
        found = set(self._said.errors)
        if self.path.startswith(("/auth", "/users", "/chats")):
            found |= {429, 503}
        if not self._is_public:
            found |= {401, 403} if self.method in WRITES else {401}
        if "{" in self.path:
            found.add(404)
        if self._said.body:
            found |= {400, 413, 415}
        return found | {400} if self._said.parameters else found


def _answer(status: int, schema: Schema | None) -> Schema:
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {"description": HTTPStatus(status).phrase, **content}
