"""What accounts asks of chats, which may not be imported here: filled in by the chats app."""

from typing import Protocol
from uuid import UUID

from accounts.models import User


class Seats(Protocol):
    def chat_ids(self, user: User) -> list[UUID]:
        """The chats that somebody is in."""

    def hold_chats(self, users: list[User]) -> None:
        """Locks the chats that these are in, which comes before any change of people."""

    def give_up_ownership(self, users: list[User]) -> None:
        """Hands each group that only these own to the next in line, and locks all of them."""


_provided: list[Seats] = []


def provide(seats: Seats) -> None:
    _provided[:] = [seats]


def chat_ids(user: User) -> list[UUID]:
    return _provided[0].chat_ids(user)


def hold_chats(users: list[User]) -> None:
    _provided[0].hold_chats(users)


def give_up_ownership(users: list[User]) -> None:
    _provided[0].give_up_ownership(users)
