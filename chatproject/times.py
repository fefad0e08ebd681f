"""Times as the protocol writes them."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """``2026-11-22T09:30:00.000000Z``: UTC, always six digits."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def rfc3339_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
