"""What accounts asks of chats, which may not be imported here: filled in by the chats app."""

from typing import Protocol
from uuid import UUID

from accounts.models import User


class Seats(Protocol):
    def chat_ids(self, user: User) -> list[UUID]:
        """The chats that somebody is in."""

    def give_up_ownership(self, user: User) -> None:
        """Hands each group that only this user owns to the next in line."""

    def hold_chats(self, users: list[User]) -> None:
        """Locks the chats that these are in, which comes before any change of people."""


_provided: list[Seats] = []


def provide(seats: Seats) -> None:
    _provided[:] = [seats]


def chat_ids(user: User) -> list[UUID]:
    return _provided[0].chat_ids(user)


def give_up_ownership(user: User) -> None:
    _provided[0].give_up_ownership(user)


def hold_chats(users: list[User]) -> None:
    _provided[0].hold_chats(users)
