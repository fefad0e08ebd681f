"""Who asks, for pages and the admin: the user behind the session cookie's sign-in."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.utils.functional import SimpleLazyObject

from accounts import access


class SignInMiddleware(AuthenticationMiddleware):
    """Sets ``request.user`` and ``request.sign_in``, read from the database when asked for."""

    def process_request(self, request: Any) -> None:
        request.sign_in = SimpleLazyObject(lambda: access.sign_in_by_session(request.session))
        request.user = SimpleLazyObject(lambda: _user_of(request.sign_in))


def _user_of(sign_in: Any) -> Any:
    return sign_in.user if sign_in else AnonymousUser()
