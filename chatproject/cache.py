"""The cache in Redis, which may be away: then nothing is cached, and nothing fails."""

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

T = TypeVar("T")

AWAY_SECONDS = 5
"""How long it is not asked again: each question to a Redis that hangs costs its timeout."""


class RedisOrNothing(RedisCache):
    """For what has its truth elsewhere, such as web sessions, whose rows are in the database."""

    _away_until = 0.0

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._ask(lambda: super(RedisOrNothing, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *where: Any, **more: Any) -> None:
        self._ask(lambda: super(RedisOrNothing, self).set(key, value, *where, **more), None)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._ask(lambda: super(RedisOrNothing, self).delete(key, version), False)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._ask(lambda: super(RedisOrNothing, self).has_key(key, version), False)

    def _ask(self, question: Callable[[], T], otherwise: T) -> T:
        if time.monotonic() < RedisOrNothing._away_until:
            return otherwise
        try:
            return question()
        except RedisError as error:
            RedisOrNothing._away_until = time.monotonic() + AWAY_SECONDS
            logger.warning("Redis is away, nothing is cached: %r", error)
            return otherwise
