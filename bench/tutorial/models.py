"""What was said."""

from typing import ClassVar

from django.db import models


class Message(models.Model):
    objects: ClassVar[models.Manager["Message"]] = models.Manager()

    room = models.CharField(max_length=64)
    content = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.room} {self.pk}"
