"""The link of the first run, which makes the owner. Its token lies in a file, until it is spent."""

import secrets
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings

from accounts.models import User
from chatproject import env

_NAME = "setup_token"


def link() -> str | None:
    """Where the owner's account is made; the same at every start until then. None later."""
    if not is_nobody_registered():
        return None
    token = env.secret(settings.DATA_DIR, _NAME)
    return f"{settings.PUBLIC_URL}/setup?{urlencode({'token': token})}"


def is_nobody_registered() -> bool:
    return not User.objects.exists()


def is_over() -> bool:
    """Whether there is somebody who can administer, however they came to it."""
    return User.objects.filter(is_staff=True).exists()


def opens(token: str) -> bool:
    """Whether this is the token of the link, not spent yet."""
    path = _path()
    if is_over() or not path.exists():
        return False
    return secrets.compare_digest(token.encode(), path.read_bytes().strip())


def spend() -> bool:
    """Whether it was there to be spent: of two who are at it at once, for one alone."""
    try:
        _path().unlink()
    except FileNotFoundError:
        return False
    return True


def _path() -> Path:
    return Path(settings.DATA_DIR) / _NAME
