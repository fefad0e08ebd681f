"""What people chose for themselves, read from settings into which clients may have put anything."""

from typing import Any, NamedTuple

from accounts.models import User

CHOICES = {
    "theme": ("system", "light", "dark"),
    "density": ("comfortable", "compact"),
    "text_size": ("small", "normal", "large", "larger"),
    "announces": ("all", "mentions", "off"),
}


class Preferences(NamedTuple):
    """By their names in the settings. What is missing or not understood is as it stands here."""

    theme: str = "system"
    density: str = "comfortable"
    text_size: str = "normal"
    announces: str = "all"
    """Which messages are read out to screen readers."""
    opens_at_newest: bool = False
    enter_sends: bool = True
    shows_typing: bool = True
    shows_read: bool = True
    shows_online: bool = True


def preferences_of(user: Any) -> Preferences:
    """Of anybody; somebody who is not signed in has chosen nothing."""
    given = getattr(user, "settings", None)
    known = given.items() if isinstance(given, dict) else ()
    return Preferences(**{key: value for key, value in known if _is_understood(key, value)})


def _is_understood(key: str, value: Any) -> bool:
    if key in CHOICES:
        return value in CHOICES[key]
    return key in Preferences._fields and isinstance(value, bool)


def hides_presence(user: User) -> bool:
    return not preferences_of(user).shows_online
