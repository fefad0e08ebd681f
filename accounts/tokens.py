"""Access and refresh tokens: JWTs that stand for one sign-in row."""

import time
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from accounts.models import SignIn


class Access(NamedTuple):
    """What a valid access token says. ``expires_at`` is in seconds since 1970."""

    sign_in_id: UUID
    expires_at: int


class Refresh(NamedTuple):
    sign_in_id: UUID
    number: int


def access_token(sign_in: SignIn, lifetime: timedelta | None = None) -> str:
    token = AccessToken()
    if lifetime:
        token.set_exp(lifetime=lifetime)
    return str(_stamped(token, sign_in))


def refresh_token(sign_in: SignIn) -> str:
    token = RefreshToken()
    token["number"] = sign_in.refresh_number
    return str(_stamped(token, sign_in))


def read_access(value: str) -> Access | None:
    try:
        found = _signed_access(value)
    except (TokenError, UnicodeError):
        return None
    return found if found.expires_at > time.time() else None


@lru_cache(maxsize=10_000)
def _signed_access(value: str) -> Access:
    """Looked at once a token: its signature stays right. What raises is not kept."""
    claims = AccessToken(value).payload  # type: ignore[arg-type]
    return Access(UUID(claims["sid"]), claims["exp"])


def read_refresh(value: str) -> Refresh | None:
    try:
        claims = RefreshToken(value).payload  # type: ignore[arg-type]
    except (TokenError, UnicodeError):
        return None
    return Refresh(UUID(claims["sid"]), claims["number"])


def _stamped(token: Token, sign_in: SignIn) -> Token:
    token["sid"] = str(sign_in.id)
    token["user_id"] = str(sign_in.user_id)
    return token
