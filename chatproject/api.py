"""What REST views share: the checked body, and the one shape of an error."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from drf_standardized_errors.formatter import ExceptionFormatter, flatten_errors
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from chatproject.errors import Invalid, NotThere, Problem
from chatproject.fields import checked_input

API_ROOMS = ("auth", "users", "chats", "schema", "docs", "healthz", "readyz", "ws")
"""What addresses that answer in JSON begin with, the unknown ones too."""


class PublicView(APIView):
    """Open to everybody; what a client says of itself is not even looked at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Formatter(ExceptionFormatter):
    def run(self) -> dict[str, Any]:
        return error_document(self.exc)


def error_document(error: APIException) -> dict[str, Any]:
    """The wire shape of an error: ``{"type", "errors": [{"code", "detail", "attr"}]}``."""
    if isinstance(error, Problem):
        entries = [_problem_entry(error)]
    else:
        entries = [
            {"code": entry.code, "detail": entry.detail, "attr": _field_named(entry.attr)}
            for entry in flatten_errors(error.detail)
        ]
    return {"type": _error_type(error), "errors": entries}


def _field_named(attr: str | None) -> str | None:
    """What is wrong with an object as a whole is to blame on the field that it stands in."""
    return attr and attr.removesuffix(".non_field_errors")


def _problem_entry(error: Problem) -> dict[str, Any]:
    detail = error.detail
    assert isinstance(detail, ErrorDetail)
    entry: dict[str, Any] = {"code": detail.code, "detail": str(detail), "attr": error.attr}
    if error.wait is not None:
        entry["retry_after"] = error.wait
    return entry


def _error_type(error: APIException) -> str:
    if isinstance(error, ValidationError | Invalid):
        return "validation_error"
    return "client_error" if error.status_code < 500 else "server_error"


@csrf_exempt
def not_found(request: HttpRequest) -> JsonResponse:
    """Any address of the API that there is not, whatever the method."""
    return JsonResponse(error_document(NotThere()), status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view: a foreign Host, too many fields."""
    if not _is_of_api(request):
        return defaults.bad_request(request, exception)
    return JsonResponse(error_document(Invalid()), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """What fails outside of the views of the API."""
    if not _is_of_api(request):
        return defaults.server_error(request)
    return JsonResponse(error_document(APIException("The server failed.")), status=500)


def _is_of_api(request: HttpRequest) -> bool:
    return request.path_info.strip("/").split("/")[0] in API_ROOMS


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body as the serializer reads it. Raises ValidationError or Invalid."""
    return checked_input(serializer, request.data)
