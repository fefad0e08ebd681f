"""Names as people search for them: in lower case, without accents. Both databases do it alike."""

import re
import unicodedata
from typing import Any

from django.db import models

_ACCENTS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return _ACCENTS.sub("", unicodedata.normalize("NFD", text)).lower()


class Folded(models.Func):
    """A text of the database, folded. PostgreSQL needs no extension for it."""

    function = "FOLDED"
    arity = 1
    output_field = models.TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        bare = f"REGEXP_REPLACE(NORMALIZE(%(expressions)s, NFD), '{_ACCENTS.pattern}', '', 'g')"
        return self.as_sql(compiler, connection, template=f"LOWER({bare})", **context)


def teach(connection: Any, **signal: Any) -> None:
    """Makes it known to a new connection of SQLite."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("FOLDED", 1, fold, deterministic=True)
