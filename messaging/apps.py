"""The messaging app: what is said, and its live transport."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from chats import talk
        from messaging import talk as said

        talk.provide(said)
