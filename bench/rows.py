"""The rows that a measurement begins with, made all at once. Imported once Django is set up."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Allowance, SignIn, User
from accounts.tokens import access_token
from bench.plans import Chats, Made
from chats.models import Chat, Membership
from messaging.models import Message
from messaging.seed.people import chunks

LIFETIME = timedelta(days=1)
AT_ONCE = 1_000
TEXT = "the boats leave at nine from the lower landing and come back before it is dark again"
HTML = f'<p dir="auto">{TEXT}</p>'
_numbers = count(1)


def make(people: int, chats: Chats, messages: int) -> Made:
    """New people with a token each, and groups of them, by number, with so many messages."""
    rows = Rows([f"bench{next(_numbers)}" for _ in range(people)], chats, messages)
    rows.store()
    return rows.made()


class Rows:
    """People of these names and their groups. Nothing is stored before ``store``."""

    def __init__(self, names: Sequence[str], chats: Chats, messages: int = 0) -> None:
        self._users = [_user(name) for name in names]
        until = timezone.now() + LIFETIME
        self._sign_ins = [
            SignIn(user=user, kind=SignIn.Kind.TOKEN, expires_at=until) for user in self._users
        ]
        self._groups = [
            _group(number, self._users, members, messages) for number, members in enumerate(chats)
        ]
        in_groups = list(zip(self._groups, chats, strict=True))
        self._seats = [
            Membership(chat=group, user=self._users[person], version=place, joined_version=place)
            for group, members in in_groups
            for place, person in enumerate(members, 1)
        ]
        self._said = [
            _message(group, self._users[members[seq % len(members)]], len(members), seq)
            for group, members in in_groups
            for seq in range(1, messages + 1)
        ]

    def made(self) -> Made:
        tokens = [access_token(sign_in, LIFETIME) for sign_in in self._sign_ins]
        return Made(tokens, [str(group.id) for group in self._groups])

    def store(self) -> None:
        User.objects.bulk_create(self._users, AT_ONCE)
        SignIn.objects.bulk_create(self._sign_ins, AT_ONCE)
        Chat.objects.bulk_create(self._groups, AT_ONCE)
        Membership.objects.bulk_create(self._seats, AT_ONCE)
        Message.objects.bulk_create(self._said, AT_ONCE)

    def remove(self) -> None:
        """All of it that there is, with what became of it since, in short transactions."""
        users = [user.id for user in self._users]
        groups = [group.id for group in self._groups]
        with transaction.atomic():
            list(Chat.objects.locked().filter(id__in=groups))
            # Whoever still waits to send is refused from here on.
            Membership.objects.filter(chat__in=groups).delete()
        said = Message.objects.filter(chat__in=groups).values_list("id", flat=True)
        while some := list(said[:AT_ONCE]):
            Message.objects.filter(id__in=some).delete()
        Chat.objects.filter(id__in=groups).delete()
        for some in chunks(users, AT_ONCE):
            keys = [f"{rate}:{user}" for rate in settings.RATES for user in some]
            Allowance.objects.filter(key__in=keys).delete()
            with transaction.atomic():
                list(User.objects.locked().filter(id__in=some))  # who connects holds them, too
                User.objects.filter(id__in=some).delete()


def _user(name: str) -> User:
    return User(username=name, display_name=name, email=f"{name}@example.org", password="!")


def _group(number: int, users: list[User], members: Sequence[int], messages: int) -> Chat:
    return Chat(
        type=Chat.Type.GROUP,
        name=f"Group {number}",
        created_by=users[members[0]],
        member_count=len(members),
        version=len(members) + messages,
        last_seq=messages,
    )


def _message(chat: Chat, sender: User, version: int, seq: int) -> Message:
    return Message(
        chat=chat,
        seq=seq,
        version=version + seq,
        created_version=version + seq,
        sender=sender,
        content=TEXT,
        html=HTML,
    )
