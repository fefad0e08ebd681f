"""The accounts app: who."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from accounts.folding import teach


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        connection_created.connect(teach)
