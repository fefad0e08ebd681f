"""What text is taken, and what counts as nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproject.text import InvalidText, clean, is_blank


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  hi\n", "hi"),
        ("\u3000hi\u2003", "hi"),
        ("a  b", "a  b"),
        ("e\u0301", "e\u0301"),
        ("\u200bhi", "\u200bhi"),
        ("", ""),
        ("\u202eabc", "\u202eabc"),
    ],
)
def test_white_space_around_a_text_goes_and_nothing_else(sent: str, kept: str):
    assert clean(sent) == kept


@pytest.mark.parametrize("sent", ["\x00", "a\x00b", "é\x00", " \x00 "])
def test_a_null_character_is_refused(sent: str):
    with pytest.raises(InvalidText) as refused:
        clean(sent)
    assert refused.value.code == "null_characters_not_allowed"
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize("sent", ["\ud800", "a\udfff", "\udc00\ud83d"])
def test_half_a_surrogate_pair_is_refused(sent: str):
    with pytest.raises(InvalidText) as refused:
        clean(sent)
    assert refused.value.code == "surrogate_characters_not_allowed"


@given(st.text())
def test_what_is_kept_can_be_encoded(value: str):
    try:
        kept = clean(value)
    except InvalidText:
        return
    assert kept.encode() and "\x00" not in kept if kept else kept == ""


@pytest.mark.parametrize(
    "value", ["", " \n\t", "\u200b\u200c\u200d", " \u2060\ufeff ", "\u3000\x1f"]
)
def test_a_text_in_which_nothing_shows_is_blank(value: str):
    assert is_blank(value)


@pytest.mark.parametrize("value", ["a", "\u200ba\u200b", ".", "\u202e", "\u00ad", "\x00", "👍"])
def test_a_text_in_which_anything_else_stands_is_not_blank(value: str):
    assert not is_blank(value)
