"""New row ids."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUID of version 7: ids made later sort later."""
    return uuid7()
