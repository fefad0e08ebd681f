"""Makes an administrator."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.db import IntegrityError

from accounts.models import User


class Command(createsuperuser.Command):
    """Django's own, which does not see that names are unique whatever their case."""

    def _validate_username(self, username: str, label: str, database: str) -> str | None:
        try:
            self.username_field.clean(username, None)
        except ValidationError as error:
            return "Error: " + " ".join(error.messages)
        if User.objects.named(username).exists():
            return f"Error: That {label} is already taken."
        return None

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except IntegrityError:
            raise CommandError("Somebody has this username or email already.") from None
