"""The one family of errors that actions and access raise."""

from django.http import HttpResponse
from rest_framework.exceptions import APIException

from chatproject.times import in_words


class Problem(APIException):
    """What an action refuses, with all that a door needs to say so.

    ``code`` is stable and for programs, ``sentence`` is for people, ``attr`` names the field
    to blame, ``retry_after`` is in seconds.
    """

    status_code = 400
    code = "invalid"
    sentence = "That can't be done."

    def __init__(
        self,
        sentence: str | None = None,
        *,
        code: str | None = None,
        attr: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.attr = attr
        self.wait = retry_after
        super().__init__(sentence or self.sentence, code or self.code)


class Invalid(Problem):
    """The input is wrong, whoever sends it."""


class SignInFailed(Problem):
    """The name or the password is wrong; the same words for both."""

    status_code = 401
    code = "invalid_credentials"
    sentence = "Wrong name or password. Try again."
    auth_header = "Bearer"


class NotSignedIn(Problem):
    status_code = 401
    code = "not_authenticated"
    sentence = "Sign in first."
    auth_header = "Bearer"


class Forbidden(Problem):
    status_code = 403
    code = "permission_denied"
    sentence = "You may not do that."


class NotThere(Problem):
    """Not there, or not the asker's to know of: the same answer."""

    status_code = 404
    code = "not_found"
    sentence = "Not found."


class Conflict(Problem):
    status_code = 409
    code = "conflict"
    sentence = "That does not fit what is there."


class TooLarge(Problem):
    status_code = 413
    code = "too_large"
    sentence = "That is too large."


class RateLimited(Problem):
    """Too much in too short a time. Nothing was changed; later it may be."""

    status_code = 429
    code = "rate_limited"

    def __init__(self, why: str, *, retry_after: int) -> None:
        sentence = f"{why} Try again in {in_words(retry_after)}."
        super().__init__(sentence, retry_after=retry_after)


class TryAgain(Problem):
    """Nothing was changed, or it is unknown: ask again with the same ``client_id``."""

    status_code = 503
    code = "try_again"
    sentence = "The server is busy. Try again."


def with_retry_after(page: HttpResponse, error: APIException) -> HttpResponse:
    """The page that shows an error, with the header that says when to come back."""
    if wait := getattr(error, "wait", None):
        page["Retry-After"] = str(wait)
    return page
