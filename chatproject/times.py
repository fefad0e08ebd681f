"""Times as the protocol writes them."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """``2026-11-22T09:30:00.000000Z``: UTC, always six digits."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def rfc3339_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def in_words(seconds: int) -> str:
    """``1 second``, ``45 seconds``, ``3 minutes``: whole minutes from two on, rounded up."""
    count, unit = (seconds, "second") if seconds < 120 else (-(-seconds // 60), "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
