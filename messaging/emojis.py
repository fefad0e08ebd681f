"""What counts as one emoji, and when a message is nothing else."""

from emoji import EMOJI_DATA

JUMBO_LIMIT = 8
_VARIATION = "\ufe0f"
_KEYS = frozenset(sequence.replace(_VARIATION, "") for sequence in EMOJI_DATA)
_LONGEST_KEY = max(map(len, _KEYS))
_LONGEST_JUMBO = JUMBO_LIMIT * (2 * _LONGEST_KEY + 1)


def emoji_key(value: str) -> str | None:
    """The emoji without U+FE0F, by which two are compared; None for what is not one emoji."""
    if value.startswith(_VARIATION) or _VARIATION * 2 in value:
        return None
    key = value.replace(_VARIATION, "")
    return key if key in _KEYS else None


def emoji_only(content: str) -> int:
    """How many emoji, 1 to 8, are all of the content, spaces aside; 0 for any other content."""
    if content.isascii() or len(content) > _LONGEST_JUMBO:
        return 0
    count = 0
    for word in content.split(" "):
        emojis = _count(word)
        if emojis is None:
            return 0
        count += emojis
    return count if count <= JUMBO_LIMIT else 0


def _count(word: str) -> int | None:
    rest = word.replace(_VARIATION, "")
    count = 0
    while rest:
        size = _leading_emoji(rest)
        if size == 0 or count == JUMBO_LIMIT:
            return None
        rest = rest[size:]
        count += 1
    return count


def _leading_emoji(text: str) -> int:
    sizes = range(min(len(text), _LONGEST_KEY), 0, -1)
    return next((size for size in sizes if text[:size] in _KEYS), 0)
