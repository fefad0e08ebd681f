"""The chats app: where, and who is there."""

from uuid import UUID

from django.apps import AppConfig


class ChatsConfig(AppConfig):
    name = "chats"

    def ready(self) -> None:
        from accounts import seats
        from accounts.models import User
        from chats import actions
        from chats.models import Membership

        class ChatSeats:
            def chat_ids(self, user: User) -> list[UUID]:
                rows = Membership.objects.present().filter(user=user)
                return list(rows.values_list("chat_id", flat=True))

            def hold_chats(self, users: list[User]) -> None:
                actions.hold_chats(users)

            def give_up_ownership(self, users: list[User]) -> None:
                actions.give_up_ownership(users)

        seats.provide(ChatSeats())
