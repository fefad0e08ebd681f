"""Whom a message mentions.

Two steps, so that one query can look up the names of a whole batch: `candidates` says what to look
up, `resolve` picks from what was found. A name in code or in a link mentions nobody, and only the
first 50 are looked at; `formatting.to_html` marks by the same rule.
"""

from collections.abc import Mapping
from typing import TypeVar

from messaging.formatting import mention_runs, spellings

Person = TypeVar("Person")


def candidates(content: str) -> set[str]:
    """The lower-cased usernames worth looking up: up to four spellings of each of 50 mentions."""
    return {name for run in mention_runs(content) for name in spellings(run)}


def resolve(content: str, found: Mapping[str, Person]) -> list[Person]:
    """Those of `found`, by lower-cased username, whom the content mentions: once each, in order."""
    named = (_longest_match(run, found) for run in mention_runs(content))
    return list(dict.fromkeys(person for person in named if person is not None))


def _longest_match(run: str, found: Mapping[str, Person]) -> Person | None:
    return next((found[name] for name in spellings(run) if name in found), None)
