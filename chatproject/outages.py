"""What is said while the database is away: try again, at every door, and the log says it once."""

import logging
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.deprecation import MiddlewareMixin
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework.response import Response

from chatproject.errors import TryAgain

logger = logging.getLogger(__name__)

DatabaseAway = (OperationalError, InterfaceError)
RETRY_SECONDS = 2


class Handler(ExceptionHandler):
    """For REST views."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, DatabaseAway):
            logger.warning("a request failed, the database is away: %r", exc)
            return TryAgain(retry_after=RETRY_SECONDS)
        known: Exception = super().convert_known_exceptions(exc)
        return known

    def report_exception(self, exc: Any, response: Response) -> None:
        if response.status_code != TryAgain.status_code:
            super().report_exception(exc, response)


class OutageMiddleware(MiddlewareMixin):
    """For pages and the admin."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, DatabaseAway):
            return None
        logger.warning("a page failed, the database is away: %r", exception)
        page = render_to_string("503.html")  # with the request it would ask the database who asks
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SECONDS)})
