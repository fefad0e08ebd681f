"""Passwords: their rules, and hashing that never delays a chat."""

from functools import cache

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError

from accounts.models import User
from chatproject.errors import Invalid
from chatproject.pools import in_hashing_pool


@cache
def _decoy() -> str:
    """Checked where nobody has the name, so that the answer takes as long."""
    return make_password("decoy")


class LengthValidator:
    """8 to 128 characters."""

    def validate(self, password: str, user: User | None = None) -> None:
        if not 8 <= len(password) <= 128:
            raise ValidationError(self.get_help_text(), code="password_length")

    def get_help_text(self) -> str:
        return "Use 8 to 128 characters."


def check_rules(password: str, user: User, attr: str) -> None:
    """Raises Invalid with the first rule that the password breaks."""
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        first = error.error_list[0]
        raise Invalid(first.messages[0], code=str(first.code), attr=attr) from None


def hashed(password: str) -> str:
    return in_hashing_pool(make_password, password)


def is_right(password: str, user: User | None) -> bool:
    """Whether this is the user's password; False, as slowly, for nobody."""
    encoded = user.password if user else _decoy()
    return in_hashing_pool(check_password, password, encoded) and user is not None
