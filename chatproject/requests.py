"""HTTP behind ASGI: a request is one piece of work for one thread."""

from typing import Any

from django.core.exceptions import MiddlewareNotUsed, RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_started
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix
from servestatic.middleware import ServeStaticMiddleware, is_async_callable

from chatproject.pools import in_request_pool


class StaticFiles(ServeStaticMiddleware):
    """Needs an event loop: where requests are served in threads, it steps aside."""

    sync_capable = True

    def __init__(self, get_response: Any) -> None:
        if not is_async_callable(get_response):
            raise MiddlewareNotUsed
        super().__init__(get_response)


class ThreadedHandler(ASGIHandler):
    """Answers a request in one thread from its first middleware to its last.

    Django's own starts a thread and opens a connection to the database for each request, and
    goes back to the event loop between any two middlewares.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        request, refusal = self.create_request(scope, body)
        response: Any = refusal
        if request is not None:
            response = await in_request_pool(self._answer, scope, request)
        await self.send_response(response, send)
        if response.streaming:
            await in_request_pool(response.close)

    def _answer(self, scope: Any, request: HttpRequest) -> HttpResponseBase:
        set_script_prefix(scope.get("root_path", "") or "/")
        request_started.send(sender=self.__class__, scope=scope)
        response = self.get_response(request)
        if not response.streaming:
            response.close()  # which gives the connection to the database back
        return response
