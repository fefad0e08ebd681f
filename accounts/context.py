"""What every template can say of who reads it."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.preferences import Preferences, preferences_of
from chatproject.outages import DatabaseAway


def preferences(request: HttpRequest) -> dict[str, Any]:
    return {"preferences": SimpleLazyObject(lambda: _preferences_behind(request))}


def _preferences_behind(request: HttpRequest) -> Preferences:
    """A page that says what is not there has to be shown without a database, too."""
    try:
        return preferences_of(request.user)
    except DatabaseAway:
        return Preferences()
