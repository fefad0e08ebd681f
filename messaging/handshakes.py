"""Who opens a socket: what its handshake bears, and where it comes from."""

from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from accounts import access
from accounts.models import SignIn
from chatproject.together import Together


class SignedIn(NamedTuple):
    sign_in: SignIn
    expires_at: int
    """In seconds since 1970: the token's end, or that of the cookie's sign-in."""


class Pass(NamedTuple):
    """What somebody shows: a token, or else the key of the session behind a cookie."""

    token: str
    session_key: str = ""


def _find_sign_ins(shown: Sequence[Pass]) -> list[SignedIn | None]:
    by_token = access.sign_ins_by_access({one.token for one in shown if one.token})
    return [
        (SignedIn(*by_token[one.token]) if one.token in by_token else None)
        if one.token
        else _sign_in_by_session(one.session_key)
        for one in shown
    ]


def _sign_in_by_session(key: str) -> SignedIn | None:
    engine = import_module(settings.SESSION_ENGINE)
    sign_in = access.sign_in_by_session(engine.SessionStore(key))
    return SignedIn(sign_in, int(sign_in.expires_at.timestamp())) if sign_in else None


find_sign_in = Together(_find_sign_ins)
"""Whose sign-in a pass stands for; None if it opens nothing."""


def _header(scope: Any, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def bearer(scope: Any) -> str:
    kind, _, token = _header(scope, b"authorization").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def session_key(scope: Any) -> str:
    try:
        cookie = SimpleCookie(_header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return cookie.value if cookie else ""


def is_own_origin(scope: Any) -> bool:
    """The page's own origin: PUBLIC_URL, or the very host that the socket was opened to."""
    origin = _header(scope, b"origin").lower()
    if origin == settings.PUBLIC_URL:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return (
        parts.scheme == ("https" if settings.IS_TLS else "http")
        and parts.netloc == _header(scope, b"host").lower()
        and parts.hostname in settings.ALLOWED_HOSTS
    )
