"""One emoji, and messages of nothing but emoji."""

import pytest
from emoji import EMOJI_DATA

from messaging.emojis import emoji_key, emoji_only

HEART = "\u2764"
FAMILY = "👩‍👩‍👧‍👦"
SCOTLAND = "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


def test_an_emoji_is_compared_without_its_variation_selector():
    assert emoji_key(HEART + "\ufe0f") == emoji_key(HEART) == HEART


@pytest.mark.parametrize(
    "emoji", ["👍", "👍🏽", FAMILY, "🇵🇹", SCOTLAND, "1️⃣", "#⃣", "🏳️‍🌈", "🏳‍🌈", "©"]
)
def test_every_kind_of_sequence_is_one_emoji(emoji: str):
    assert emoji_key(emoji) == emoji.replace("\ufe0f", "")


def test_every_emoji_that_the_library_knows_has_a_key():
    assert all(emoji_key(emoji) for emoji in EMOJI_DATA)


@pytest.mark.parametrize(
    "value",
    ["", "a", "1", "#", "👍👍", "👍 ", " 👍", "👍a", ":+1:", "\ufe0f", "\ufe0f👍", "👍\ufe0f\ufe0f"]
    + ["\u200d", "👍\u200d", "🇵", "\u20e3", "❤\ufe0e", "<b>", "👍" * 5000],
)
def test_anything_else_is_not_one_emoji(value: str):
    assert emoji_key(value) is None


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("👍", 1),
        ("👍🏽👍", 2),
        (FAMILY + SCOTLAND, 2),
        ("🇵🇹🇩🇪", 2),
        ("1️⃣2️⃣", 2),
        ("❤️ 🎉", 2),
        ("🎉" * 8, 8),
        (FAMILY * 8, 8),
    ],
)
def test_up_to_eight_emoji_and_nothing_else_are_counted(content: str, count: int):
    assert emoji_only(content) == count


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "hi",
        "12",
        "🎉!",
        "é",
        "🎉" * 9,
        "🎉" + " 🎉" * 8,
        "🎉" * 10_000,
        "🎉\n🎉",
        "🎉 a",
        "\ufe0f",
        "\u200d",
    ],
)
def test_any_other_content_counts_none(content: str):
    assert emoji_only(content) == 0
