"""Changes somebody's password."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword

from accounts.actions import end_sign_ins
from accounts.models import SignIn


class Command(changepassword.Command):
    """Django's own, which leaves open what was opened with the old password."""

    help = "Changes somebody's password and ends all their sign-ins."

    def handle(self, *args: Any, **options: Any) -> str | None:
        answer = super().handle(*args, **options)
        username = options["username"] or getpass.getuser()
        end_sign_ins(sign_ins=SignIn.objects.filter(user__username=username, ended_at=None))
        return answer
