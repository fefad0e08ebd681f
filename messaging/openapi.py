"""The OpenAPI document: every address of REST, and the objects that both documents share."""

from functools import cache
from typing import Any

from django.conf import settings

from messaging import schemas

_INTRODUCTION = """
Register (`POST /auth/register`) or sign in (`POST /auth/login`), and send
`Authorization: Bearer <access>` with every request; `POST /auth/refresh` renews it. The web page's
session cookie does as well; a write then needs the header `X-CSRFToken`.

Bodies are JSON in UTF-8, types are exact and unknown fields are ignored. Ids are UUIDs that sort by
creation; times are RFC 3339 in UTC with six digits. Lengths are in code points, without the white
space around a text. Every error has the one shape `Error`, a 405 too, and a 404 at an address that
there is not. The schemas say what this release
answers; a later one may add fields, so leave aside what you do not know.

A message is sent safely with a `client_id` of your own: ask again with the same one after a 503 or
a lost answer, and it is stored once. What happens live comes over the
[WebSocket](/schema/ws).
""".strip()


@cache
def document() -> dict[str, Any]:
    """Made when it is first asked for: drf-spectacular is not loaded before."""
    from chatproject import openapi

    found = openapi.Generator().get_schema(public=True)
    info = {"title": settings.SITE_NAME, "version": "1", "description": _INTRODUCTION}
    components = {
        "schemas": schemas.components() | found["components"]["schemas"],
        "responses": openapi.error_responses(),
        "securitySchemes": openapi.SECURITY_SCHEMES,
    }
    tags = [{"name": name, "description": text} for name, text in openapi.TAGS.items()]
    return {**found, "info": info, "tags": tags, "components": components}
