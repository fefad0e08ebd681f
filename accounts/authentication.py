"""Who asks, for REST: a bearer token, or the page's cookie with its CSRF header."""

from typing import Any

from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from accounts import access
from chatproject.errors import NotSignedIn


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <access>``. ``request.auth`` is the sign-in."""

    def authenticate(self, request: Request) -> Any:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = access.sign_in_by_access(token.strip())
        if found is None:
            raise NotSignedIn("This access token is not valid.")
        return found[0].user, found[0]

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """The session cookie; a write needs the header ``X-CSRFToken`` too."""

    def authenticate(self, request: Request) -> Any:
        sign_in = access.sign_in_by_session(request._request.session)
        if sign_in is None:
            return None
        self.enforce_csrf(request)
        return sign_in.user, sign_in
