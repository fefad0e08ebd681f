"""What the API says of itself: OpenAPI of REST, AsyncAPI of the socket, and a page to read."""

from csp.decorators import csp_replace
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from rest_framework.request import Request
from rest_framework.response import Response

from chatproject.api import PublicView
from chatproject.operations import operation
from messaging import openapi


class SchemaView(PublicView):
    @operation("This document", answers={200: {"type": "object"}})
    def get(self, request: Request) -> Response:
        return Response(openapi.document())


class SocketSchemaView(PublicView):
    @operation("The AsyncAPI document of the WebSocket", answers={200: {"type": "object"}})
    def get(self, request: Request) -> Response:
        from messaging import asyncapi  # the whole socket door, which no other view needs

        return Response(asyncapi.document())


# Swagger UI writes markup as text, so this page needs policies of its own that let it: HTML only
# (scripts stay forbidden), and it shows nothing but our own document.
@method_decorator(csp_replace({"trusted-types": ["default", "dompurify"]}), "dispatch")
class DocsView(PublicView):
    schema = None

    def get(self, request: Request) -> HttpResponse:
        return render(request._request, "messaging/docs.html")
