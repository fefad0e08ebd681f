"""What may stand in a text that people write."""

import re

_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")
_VISIBLE = re.compile("[^\\s\u200b-\u200d\u2060\ufeff]")


class InvalidText(ValueError):
    """A text that can be neither stored nor sent: `code` for programs, `sentence` for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


HALF_A_PAIR = ("surrogate_characters_not_allowed", "Half of a surrogate pair is not allowed.")


def clean(value: str) -> str:
    """The text without white space around it, else as it was sent. Raises InvalidText."""
    stripped = value.strip()
    if not stripped.isascii() or "\x00" in stripped:
        _refuse_unstorable(stripped)
    return stripped


def is_blank(value: str) -> bool:
    """Whether a reader would see nothing: only white space and characters of no width."""
    return _VISIBLE.search(value) is None


def is_encodable(value: str) -> bool:
    """Whether it can be sent on: half of a surrogate pair cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_unstorable(value: str) -> None:
    found = _FORBIDDEN.search(value)
    if found is None:
        return
    if found[0] == "\x00":
        raise InvalidText("null_characters_not_allowed", "Null characters are not allowed.")
    raise InvalidText(*HALF_A_PAIR)
