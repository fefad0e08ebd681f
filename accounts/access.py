"""From a token or a cookie to the sign-in behind it. Looked at anew on every request."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts import tokens
from accounts.models import SignIn, User
from chatproject.errors import NotSignedIn, NotThere
from chatproject.prepared import Among, prepared

SESSION_KEY = "sid"


def sign_in_by_id(sign_in_id: UUID) -> SignIn | None:
    """The sign-in, with its user, if it still opens doors."""
    return next(iter(_valid_sign_ins([sign_in_id])), None)


@prepared
def _valid_sign_ins(sign_in_ids: list[UUID]) -> Any:
    return SignIn.objects.valid().select_related("user").filter(Among("id", sign_in_ids))


def sign_in_by_session(session: Any) -> SignIn | None:
    sign_in_id = session.get(SESSION_KEY)
    return sign_in_by_id(UUID(sign_in_id)) if sign_in_id else None


def sign_in_by_access(token: str) -> tuple[SignIn, int] | None:
    """The sign-in of an access token, and when the token ends (seconds since 1970)."""
    return sign_ins_by_access([token]).get(token)


def sign_ins_by_access(access_tokens: Iterable[str]) -> dict[str, tuple[SignIn, int]]:
    """The same of several, by token; those that open nothing are left out."""
    read = {token: tokens.read_access(token) for token in access_tokens}
    ids = list({claims.sign_in_id for claims in read.values() if claims})
    found = {sign_in.id: sign_in for sign_in in _valid_sign_ins(ids)} if ids else {}
    return {
        token: (found[claims.sign_in_id], claims.expires_at)
        for token, claims in read.items()
        if claims and claims.sign_in_id in found
    }


def live_sign_in(sign_in_id: UUID) -> SignIn:
    """The sign-in behind an open socket. Raises NotSignedIn once it has ended."""
    sign_in = sign_in_by_id(sign_in_id)
    if sign_in is None:
        raise NotSignedIn("This sign-in has ended.")
    return sign_in


def person(user_id: UUID) -> User:
    """Somebody who can be written to. Raises NotThere."""
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        raise NotThere()
    return user
