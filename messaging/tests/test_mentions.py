"""Whom a message mentions, by what is written after an at sign."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.formatting import to_html
from messaging.mentions import candidates, resolve

PRESENT = {
    "alice": "Alice",
    "bob": "Bob",
    "bob.b": "Bob B",
    "al_ice": "Al",
    "_x_": "X",
    "dot": "Dot",
    "dot.": "Dot and stop",
    "4u": "Four",
}


@pytest.mark.parametrize(
    ("content", "mentioned"),
    [
        ("@alice", ["Alice"]),
        ("@ALICE, @Bob", ["Alice", "Bob"]),
        ("hi @alice. And @bob-", ["Alice", "Bob"]),
        ("wait @alice...", ["Alice"]),
        ("wait @alice.....-", ["Alice"]),
        ("@bob.b", ["Bob B"]),
        ("@bob.b.", ["Bob B"]),
        ("@bob.", ["Bob"]),
        ("@dot. @dot", ["Dot and stop", "Dot"]),
        ("@dot..", ["Dot and stop"]),
        ("@bob @alice @bob", ["Bob", "Alice"]),
        ("(@alice) '@bob' /@4u", ["Alice", "Bob", "Four"]),
        ("@@alice", ["Alice"]),
        ("**@alice** ~~@bob~~", ["Alice", "Bob"]),
        ("@al_ice and @_x_", ["Al", "X"]),
        ("> @alice\n\n- @bob", ["Alice", "Bob"]),
        ("@alice’s", ["Alice"]),
        ("日本 @alice", ["Alice"]),
    ],
)
def test_people_who_are_present_are_mentioned_in_order(content: str, mentioned: list[str]):
    assert resolve(content, PRESENT) == mentioned


@pytest.mark.parametrize(
    "content",
    [
        "alice",
        "@",
        "@ alice",
        "@nobody",
        "@alicex",
        "@alice.b",
        "x@alice",
        "1@alice",
        "_@alice",
        "é@alice",
    ]
    + ["bob@alice.com", "https://x.com/@alice", "www.x.com/@alice", "[@alice](http://x.com)"]
    + [
        "`@alice`",
        "```\n@alice\n```",
        "``` @alice",
        "\\@alice",
        "<http://x.com/@alice>",
        "@" * 100,
    ],
)
def test_nobody_is_mentioned(content: str):
    assert resolve(content, PRESENT) == []


def test_names_to_look_up_are_lower_cased_and_come_with_their_trimmed_spellings():
    assert candidates("@Alice. @bob `@mallory`") == {"alice.", "alice", "bob"}


@pytest.mark.parametrize(
    "content", ["@a", "@" + "a" * 33, "@" + "a" * 9999, "mail a@b.com", "no at"]
)
def test_what_can_be_no_username_is_not_looked_up(content: str):
    assert candidates(content) == set()


def test_a_name_of_the_greatest_length_is_looked_up_with_a_full_stop_behind_it():
    assert candidates("@" + "a" * 32 + ".") == {"a" * 32}


@pytest.mark.parametrize("end", ["", " **bold**"])
def test_only_the_first_fifty_are_looked_at(end: str):
    content = " ".join(f"@user{number}..." for number in range(51)) + end
    found = {f"user{number}": number for number in range(51)}
    assert len(candidates(content)) == 200
    assert resolve(content, found) == list(range(50))


words = st.sampled_from(
    [
        "@alice",
        "@bob.b.",
        "@nobody",
        "`",
        "**",
        "_",
        "[",
        "](http://x.com)",
        "\n",
        "> ",
        "```\n",
        " ",
    ]
    + ["www.x.com/", "a", ".", "@", "\\", "- ", "@_x_", "~~", "<", "://"]
)


@given(st.lists(words, max_size=30).map("".join))
def test_those_who_are_mentioned_are_those_who_are_marked(content: str):
    people = {name: (user_id, user_id) for name, user_id in PRESENT.items()}
    marked = re.findall('data-user-id="([^"]+)"', to_html(content, people))
    assert list(dict.fromkeys(marked)) == resolve(content, PRESENT)


@given(st.lists(words, max_size=30).map("".join))
def test_those_who_are_mentioned_were_candidates(content: str):
    among = {name: PRESENT[name] for name in candidates(content) if name in PRESENT}
    assert resolve(content, among) == resolve(content, PRESENT)


@pytest.mark.parametrize("unit", ["@", "@a", "@a.", "@a-", "a@a.a@", "@alice ", "@.*@a_"])
def test_hostile_at_signs_are_read_in_linear_time(unit: str):
    started = time.thread_time()
    candidates((unit * 10_000)[:10_000])
    assert time.thread_time() - started < 0.3
