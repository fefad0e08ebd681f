"""The HTML of messages: what it looks like, and that nothing dangerous is in it."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it.token import Token

from messaging import formatting
from messaging.formatting import preview, safe, to_html

pytestmark = pytest.mark.embedded

PEOPLE = {"alice": ("0192-a", "Alice <b>&"), "al_ice": ("0192-b", "Al")}
REL = 'target="_blank" rel="nofollow noopener noreferrer"'
ALICE = '<span class="mention" data-user-id="0192-a">@Alice &lt;b&gt;&amp;</span>'


def p(inside: str) -> str:
    return f'<p dir="auto">{inside}</p>'


def link(href: str, text: str | None = None) -> str:
    return f'<a href="{href}" {REL}>{text or href}</a>'


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("", ""),
        ("hello", p("hello")),
        ("one\ntwo", p("one<br>two")),
        ("one\n\n\ntwo", p("one") + p("two")),
        ("a < b && c > d", p("a &lt; b &amp;&amp; c &gt; d")),
        ("snake_case is 5 * 3 * 2", p("snake_case is 5 * 3 * 2")),
        ("**b** *i* _i_ ~~s~~", p("<strong>b</strong> <em>i</em> <em>i</em> <s>s</s>")),
        ("`a < b`", p("<code>a &lt; b</code>")),
        ("> said\nanswer", f'<blockquote dir="auto">{p("said")}</blockquote>{p("answer")}'),
        ("- a\n- b", '<ul><li dir="auto">a</li><li dir="auto">b</li></ul>'),
        ("7. a\n8. b", '<ol start="7"><li dir="auto">a</li><li dir="auto">b</li></ol>'),
        ("list:\n- a", p("list:") + '<ul><li dir="auto">a</li></ul>'),
        ("a \n b", p("a<br>b")),
        ("~~a~~ ~b", p("<s>a</s> ~b")),
        ("# title", p("# title")),
        ("title\n---", p("title<br>---")),
        ("***", p("***")),
        ("-", p("-")),
        (">", p("&gt;")),
        ("```", p("```")),
        ("    indented", p("indented")),
        ("| a |\n|---|\n| b |", p("| a |<br>|---|<br>| b |")),
        ("[a]: http://x.com\n[a]", p(f"[a]: {link('http://x.com')}<br>[a]")),
        ("&amp; &#64;", p("&amp;amp; &amp;#64;")),
        ("line\r\nline", p("line<br>line")),
    ],
)
def test_markdown_lite(content: str, html: str):
    assert to_html(content) == html


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("https://x.com/a_b_c*d", p(link("https://x.com/a_b_c*d"))),
        ("see www.x.com.", p(f"see {link('http://www.x.com', 'www.x.com')}.")),
        ("HTTP://X.com", p(link("HTTP://X.com"))),
        ("(https://x.com/a_(b))", p(f"({link('https://x.com/a_(b)')})")),
        ("**https://x.com**", p(f"<strong>{link('https://x.com')}</strong>")),
        ("mail bob_b@x.com!", p(f"mail {link('mailto:bob_b@x.com', 'bob_b@x.com')}!")),
        ("<https://x.com>", p(link("https://x.com"))),
        ("<mailto:a>", p(link("mailto:a"))),
        ("[a](https://x.com)", p(link("https://x.com", "a"))),
        ("[`a[0]` b\\]](https://x.com)", p(link("https://x.com", "<code>a[0]</code> b]"))),
        ("[1] [a](https://x.com)", p("[1] " + link("https://x.com", "a"))),
        ("[a](mailto:b@x.com)", p(link("mailto:b@x.com", "a"))),
        ("[https://a.com](https://b.com)", p(link("https://b.com", "https://a.com"))),
        ("https://x.com。次", p(f"{link('https://x.com')}。次")),
        ("https://x.com?a=1&b=2", p(link("https://x.com?a=1&amp;b=2"))),
        ("[a]()", p("a")),
        ("readme.md and manage.py", p("readme.md and manage.py")),
        ("xhttps://x.com", p("xhttps://x.com")),
    ],
)
def test_links(content: str, html: str):
    assert to_html(content) == html


def test_a_code_block_is_a_figure_with_its_language_and_coloured_by_classes():
    assert to_html("```python\ndef f(): pass\n```") == (
        '<figure class="code"><figcaption>Python</figcaption><pre dir="ltr">'
        '<code class="language-python"><span class="k">def</span> <span class="nf">f</span>(): '
        '<span class="k">pass</span>\n</code></pre></figure>'
    )


@pytest.mark.parametrize(
    ("info", "caption"),
    [("", ""), ("c++", "C++"), ("cobol", "cobol"), ("<b>", "&lt;b&gt;"), ("js {1}", "JavaScript")],
)
def test_the_caption_names_the_language(info: str, caption: str):
    html = to_html(f"```{info}\n1\n```")
    assert html.startswith('<figure class="code">')
    assert (f"<figcaption>{caption}</figcaption>" in html) == bool(caption)


@pytest.mark.parametrize("language", sorted(formatting._LANGUAGES))
def test_colouring_changes_no_character(language: str):
    code = "<a href='x'>&amp;</a>\n\n  if (a < b) { \"c\" } // d\n\t# 'é'\n"
    html = to_html(f"```{language}\n{code}```")
    assert text_of(html).endswith(code)


def test_code_that_takes_too_long_is_shown_without_colours(monkeypatch: pytest.MonkeyPatch):
    content = "```python\ndef f(): pass\n```"
    assert "<span" in to_html(content)
    monkeypatch.setattr(formatting, "_HIGHLIGHT_SECONDS", -1)
    html = to_html(content)
    assert "<span" not in html
    assert text_of(html) == "Pythondef f(): pass\n"


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("hi @Alice.", p(f"hi {ALICE}.")),
        ("**@alice**", p(f"<strong>{ALICE}</strong>")),
        ("@al_ice", p('<span class="mention" data-user-id="0192-b">@Al</span>')),
        ("@nobody", p("@nobody")),
        ("`@alice` x@alice", p("<code>@alice</code> x@alice")),
        ("[@alice](https://x.com)", p(link("https://x.com", "@alice"))),
        ("https://x.com/@alice", p(link("https://x.com/@alice"))),
    ],
)
def test_mentions_are_marked_outside_code_and_links(content: str, html: str):
    assert to_html(content, PEOPLE) == html


def test_a_user_id_cannot_leave_its_attribute():
    people = {"eve": ('"><img src=x onerror=alert(1)>', "Eve")}
    for content in ("@eve", "**@eve**"):
        assert_harmless(to_html(content, people))


def test_a_few_emoji_alone_are_large():
    assert to_html("🎉🎉") == '<p class="jumbo" dir="auto">🎉🎉</p>'
    assert to_html("🎉!") == p("🎉!")


ALLOWED = {
    "p": {"dir": {"auto"}, "class": {"jumbo"}},
    "br": {},
    "strong": {},
    "em": {},
    "s": {},
    "ul": {},
    "ol": {"start": None},
    "li": {"dir": {"auto"}},
    "blockquote": {"dir": {"auto"}},
    "figure": {"class": {"code"}},
    "figcaption": {},
    "pre": {"dir": {"ltr"}},
    "code": {"class": None},
    "span": {"class": None, "data-user-id": None},
    "a": {"href": None, "target": {"_blank"}, "rel": {"nofollow noopener noreferrer"}},
}


class Reader(HTMLParser):
    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "br":
            self.text += "\n"
        else:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def text_of(html: str) -> str:
    return Reader(html).text


def assert_harmless(html: str) -> None:
    reader = Reader(html)
    assert not reader.open
    for tag, attributes in reader.tags:
        for name, value in attributes.items():
            allowed = ALLOWED[tag][name]
            assert allowed is None or value in allowed, html
        if tag == "a":  # the sanitiser takes the address from a link to an impossible host
            href = (attributes.get("href") or "https://").lower()
            assert href.startswith(("http://", "https://", "mailto:")), html
            assert {"target", "rel"} <= attributes.keys()
        assert tag in ALLOWED


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<!-- --><![CDATA[x]]><?php ?>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](&#x6A;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.com)",
    "[x](/relative)",
    "[x](https:evil)",
    '[x](https://a.com"onmouseover="alert(1))',
    "[x](https://a.com 'title\" onmouseover=alert(1)')",
    '[x](<https://a.com" onclick=alert(1)>)',
    "![x](https://a.com/x.png)",
    "![x](javascript:alert(1))",
    "[![x](javascript:alert(1))](https://a.com)",
    "[**[x](javascript:alert(1))**](https://a.com)",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    '<https://a.com/"onclick="alert(1)>',
    'https://a.com/"onclick="alert(1)',
    "https://a.com/<script>alert(1)</script>",
    "https://a.com/'onclick='alert(1)",
    "www.a.com/<img src=x onerror=alert(1)>",
    "javascript://a.com/%0aalert(1)",
    "**<b onclick=x>**",
    "`<script>`",
    "```<script>\nalert(1)\n```",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>\n</code></pre><script>alert(1)</script>\n```',
    "</p></div><script>alert(1)</script>",
    "<p style='position:fixed'>",
    "> <iframe src=//evil.com>",
    "- <style>*{}</style>",
    "[a]: javascript:alert(1)\n\n[a]",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\<script>alert(1)\\</script>",
    "<scr<script>ipt>alert(1)</script>",
    "@alice<script>",
    "<math><mi//xlink:href='data:x,<script>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
]


@pytest.mark.parametrize("content", ATTACKS)
def test_an_attack_stays_text(content: str):
    assert_harmless(to_html(content, PEOPLE))
    assert_harmless(to_html(f"> **{content}**\n- {content}", PEOPLE))


@pytest.mark.parametrize(
    "content", [attack for attack in ATTACKS if attack.startswith("[x](")][:13]
)
def test_a_link_of_another_scheme_is_no_link(content: str):
    assert "<a" not in to_html(content)


def test_the_sanitiser_stops_what_the_parser_lets_through(monkeypatch: pytest.MonkeyPatch):
    def script(content: str) -> list[Token]:
        return [Token("script", "", 0, content=content)]

    monkeypatch.setattr(formatting, "parse", script)
    monkeypatch.setitem(
        formatting._FIXED, "script", "<script>x</script><p onclick=x>y<img src=x></p>"
    )
    assert to_html("**x**") == "<p>y</p>"


def test_direction_overrides_pass_as_text():
    assert to_html("a \u202egnp.exe") == p("a \u202egnp.exe")
    assert to_html("**a** \u202egnp.exe") == p("<strong>a</strong> \u202egnp.exe")


def test_an_address_ends_before_an_invisible_character():
    assert to_html("https://x.com/\u202egnp") == p(link("https://x.com/") + "\u202egnp")


scalars = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
pieces = st.one_of(
    st.text(scalars, max_size=6),
    st.sampled_from(
        [
            "**",
            "*",
            "_",
            "~~",
            "`",
            "```",
            "```py\n",
            "[",
            "]",
            "](",
            ")",
            "<",
            ">",
            "> ",
            "- ",
            "1. ",
            "\n",
        ]
        + [
            "\n\n",
            "  ",
            "\t",
            "\\",
            "&",
            "&#106;",
            "javascript:",
            "http://",
            "https://x.com",
            "www.a.b",
        ]
        + [
            "@alice",
            "@",
            "a@b.cc",
            "<script>",
            "<img src=x onerror=y>",
            '"',
            "'",
            "\r",
            "!",
            "\xa0",
            "🎉",
        ]
        + [
            "mailto:",
            "#",
            "+ ",
            "\u202e",
            "\u3000",
            "\x0c",
            "\x85",
            "\u2028",
            "]:",
            "1) ",
            "www.",
            ".",
        ]
    ),
)
contents = st.lists(pieces, max_size=25).map("".join)


@settings(max_examples=300, deadline=None)
@given(contents)
def test_only_allowed_tags_and_attributes_ever_come_out(content: str):
    assert_harmless(to_html(content, PEOPLE))


everyday = st.lists(
    st.text(scalars, max_size=3)
    | st.sampled_from(
        ["a", "1", " ", "\n", "_", "~", "<", "]", "[", "@alice", "@", ".", "-", "+", "3."]
    )
    | st.sampled_from(
        ["\xa0", "&", "(", ")", "#", ">", ":", "/", "w", '"', "'", "\u3000", "\x0c", "|"]
    ),
    max_size=15,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(everyday)
@example("a_b ~ <3 [x] @alice\nb\n\nc\xa0d & 1.2 - é: @al_ice.")
def test_plain_text_has_the_same_html_by_both_ways(content: str):
    if content and formatting._is_plain(content):
        assert formatting._plain_html(content, PEOPLE) == formatting._rich_html(content, PEOPLE)


@pytest.mark.parametrize(
    "content",
    [
        "hello",
        "a\nb\n\nc",
        "snake_case",
        "1.5 - 2: [x] <3",
        "@alice, hi",
        "日本語　です",
        'a\'s "b" & c',
        "#1",
    ],
)
def test_everyday_text_takes_the_short_way(content: str):
    assert formatting._is_plain(content)


@settings(max_examples=150, deadline=None)
@given(contents)
def test_no_letter_is_lost(content: str):
    """Only in links, code blocks and after a backslash may what is written vanish."""
    if not any(mark in content for mark in ("](", "```", "~~~", "\\", "\r")):
        kept = [char for char in content if char.isalpha()]
        assert [char for char in text_of(to_html(content)) if char.isalpha()] == kept


HOSTILE = {
    "a@": "a@a.a@",
    "urls": "http://a.b ",
    "mails": "a@b.com ",
    "schemes": "http://",
    "brackets": "[",
    "labels": "[a",
    "half links": "[a](b",
    "links": "[a](http://b)",
    "nested labels": "[x[a]",
    "linked links": "[[a](b)",
    "half titles": "[a](b '",
    "bracketed": "[a](b (",
    "angle links": "[a](<",
    "stars": "*",
    "half emphasis": "*a ",
    "emphasis": "*a*",
    "mixed emphasis": "_a*",
    "strikes": "~~a",
    "quotes": ">",
    "spaced quotes": "> ",
    "quoted lines": "> a\n",
    "quoted lists": "> - ",
    "lists": "- ",
    "items": "- a\n",
    "numbers": "1. a\n",
    "images": "![[",
    "mentions": "@a ",
    "people": "@alice ",
    "fences": "```",
    "fence lines": "```\n",
    "code blocks": "```py\nx\n```\n",
    "ticks": "`a",
    "escapes": "\\",
    "paragraphs": "a\n\n",
    "lines": "a\n",
    "hard breaks": "a  \n",
    "www": "www.a.b ",
    "half www": "www.",
    "tags": "<a",
    "mix": "[*`_<@~",
    "underscores": "a_",
    "ampersands": "&",
    "spaces": "\xa0",
    "parentheses": "http://a(",
}


def seconds_to_format(content: str) -> float:
    started = time.thread_time()
    to_html(content, PEOPLE)
    return time.thread_time() - started


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("end", ["", "](x"])
def test_hostile_text_is_formatted_fast_and_stays_small(unit: str, end: str):
    content = (unit * 10_000)[: 10_000 - len(end)] + end
    html = to_html(content, PEOPLE)
    assert any(seconds_to_format(content) < 0.15 for _ in range(3))
    assert len(html) <= 100_000
    assert_harmless(html)


@pytest.mark.parametrize("unit", ["`{}`", "{}>", "{}-"])
def test_runs_that_grow_are_formatted_fast(unit: str):
    content = "\n".join(unit.format(" " * number) + "a" for number in range(130))[:10_000]
    assert any(seconds_to_format(content) < 0.15 for _ in range(3))


@pytest.mark.parametrize("mark", ["> ", ">", "- ", "1. ", "> - "])
def test_text_nested_too_deep_is_shown_as_typed(mark: str):
    assert text_of(to_html(mark * 40 + "hello")) == mark * 40 + "hello"
    assert text_of(to_html("hi\n\n" + mark * 40 + "hello")).endswith("hello")
    assert text_of(to_html(mark * 3 + "hello")) == "hello"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("hello", "hello"),
        ("a\n\nb", "a b"),
        ("**a** _b_ ~~c~~ `d`", "a b c d"),
        ("> a\n- b\n* c", "a b c"),
        ("[a](https://x.com) b", "a b"),
        ("```py\nx = 1\n```", "x = 1"),
        ("snake_case 2 * 3", "snake_case 2 * 3"),
        ("<b>", "<b>"),
        ("a" * 140, "a" * 140),
        ("a" * 141, "a" * 139 + "…"),
    ],
)
def test_a_preview_is_one_line_without_marks(content: str, line: str):
    assert preview(content) == line


@given(contents, st.integers(5, 200))
def test_a_preview_is_never_too_long(content: str, limit: int):
    line = preview(content, limit)
    assert len(line) <= limit
    assert "\n" not in line


def test_stored_html_is_safe_for_a_template():
    assert safe("<p>x</p>").__html__() == "<p>x</p>"
