"""How the text of a message becomes safe HTML, once, when it is written."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from html import escape
from time import thread_time
from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token
from pygments.lexers import find_lexer_class_by_name
from pygments.token import STANDARD_TYPES

from messaging.emojis import emoji_only
from messaging.markdown import MAX_MENTIONS, MENTION, NESTING, parse

People = Mapping[str, tuple[str, str]]
"""What `@` may stand for: lower-cased username -> (user id, display name)."""

_LONGEST_HTML = 100_000
_HIGHLIGHT_SECONDS = 0.025
_LONGEST_COLOURED = 6_000
_LEXER_OPTIONS = {"stripnl": False, "ensurenl": False, "startinline": True}
# Few on purpose: a lexer can be quadratic in what it is given. These were tried with hostile code.
# fmt: off
_LANGUAGES = frozenset({
    "bash", "c", "cpp", "csharp", "css", "dart", "diff", "docker", "dockerfile", "go", "golang",
    "html", "java", "javascript", "js", "json", "jsx", "kotlin", "lua", "php", "py", "python",
    "rb", "rs", "ruby", "rust", "scala", "scss", "sh", "shell", "sql", "swift", "toml", "ts",
    "tsx", "typescript", "xml", "yaml", "yml", "zsh",
})
# fmt: on
_OTHER_NAMES = {"c++": "cpp", "c#": "csharp", "cs": "csharp", "jsonc": "json", "kt": "kotlin"}

_BLOCK = r"(?:>|[-+*](?:\s|\Z)|\d{1,9}[.)](?:\s|\Z))"
# Text on which Markdown has no effect. When in doubt it does not match: that costs time only.
_PLAIN = re.compile(
    rf"""(?!\s|{_BLOCK})
    (?: [^\\`*_~\]<@\n\r\0]++
      | (?<!\s)\n++(?!\s|{_BLOCK})
      | (?<=[^\W_])_(?=[^\W_])
      | (?<!~)~(?!~)
      | <(?=[\s\d])
      | \](?!\()
      | (?<!\S)@
    )*+ (?<!\s)""",
    re.VERBOSE,
)


def to_html(content: str, people: People | None = None) -> str:
    """Safe HTML of a content that has passed `chatproject.text.clean`; "" for an empty one.

    Where the content is made to be slow, deep or huge to format, it is shown as typed.
    """
    if emoji_only(content):
        return f'<p class="jumbo" dir="auto">{_escaped(content)}</p>'
    if _is_plain(content):
        return _plain_html(content, people or {})
    return _rich_html(content, people or {})


def safe(html: str) -> SafeString:
    """Marks what `to_html` made, and nothing else, as safe for a template."""
    return mark_safe(html)  # noqa: S308


@lru_cache(maxsize=256)
def mention_runs(content: str) -> tuple[str, ...]:
    """What is written after each `@` outside code and links, in order."""
    if "@" not in content:
        return ()
    if _is_plain(content):
        return tuple(MENTION.findall(content))
    tokens = _inline(parse(content))
    return tuple(token.content for token in tokens if token.type == "mention")


def spellings(run: str) -> list[str]:
    """The lower-cased usernames that `@run` may mean, the longest first.

    At most four: as it stands, without one or two trailing `.` or `-`, and without all of them.
    """
    bare = len(run.rstrip(".-"))
    ends = {end for end in (len(run), len(run) - 1, len(run) - 2, bare) if end >= max(bare, 2)}
    return [run[:end].lower() for end in sorted(ends, reverse=True) if end <= 32]


def preview(content: str, limit: int = 140) -> str:
    """One line of plain text, at most `limit` characters, without the marks of Markdown."""
    text = content[: limit * 8]
    for pattern, replacement in _PREVIEW:
        text = pattern.sub(replacement, text)
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


_PREVIEW = (
    (re.compile(r"^[ \t]*(?:`{3,}|~{3,}).*$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]{0,9}(?:>[ \t]?|[-*+][ \t])", re.MULTILINE), ""),
    (re.compile(r"\[([^\[\]\n]{1,200})\]\([^()\s]{1,300}\)"), r"\1"),
    (re.compile(r"(?<!\w)_([^_\n]{1,300})_(?!\w)"), r"\1"),
    (re.compile(r"(?<![*\s])\*+|\*+(?![*\s])|~~+|`+"), ""),
)


def _is_plain(content: str) -> bool:
    return (
        _PLAIN.fullmatch(content) is not None
        and "://" not in content
        and "www." not in content.lower()
        and content.count("@") <= MAX_MENTIONS
    )


def _escaped(text: str) -> str:
    """As nh3 writes text, so that both ways to HTML agree."""
    return escape(text, quote=False).replace("\xa0", "&nbsp;")


def _plain_html(content: str, people: People) -> str:
    html = _paragraphs(content)
    if people and "@" in content:
        return MENTION.sub(lambda found: _mention(found[1], people), html)
    return html


def _paragraphs(content: str) -> str:
    html = _escaped(content)
    if "\n" in html:
        html = re.sub(r"\n{2,}", '</p><p dir="auto">', html).replace("\n", "<br>")
    return f'<p dir="auto">{html}</p>' if html else ""


def _as_typed(content: str) -> str:
    return _paragraphs(content.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))


def _rich_html(content: str, people: People) -> str:
    tokens = parse(content)
    if _is_cut(tokens) or not any(token.content for token in tokens):
        return _as_typed(content)
    html = _CLEANER.clean(_Rendering(people).html(tokens))
    return html if len(html) <= _LONGEST_HTML else _as_typed(content)


def _is_cut(tokens: list[Token]) -> bool:
    """Whether the parser came near the depth at which it drops text without a word."""
    return any(token.level >= NESTING - 1 for token in tokens)


def _inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or () if token.type == "inline" else (token,)


def _mention(run: str, people: People) -> str:
    for name in spellings(run):
        if name in people:
            user_id, display_name = people[name]
            return (
                f'<span class="mention" data-user-id="{escape(user_id)}">'
                f"@{_escaped(display_name)}</span>{run[len(name) :]}"
            )
    return f"@{run}"


class _Rendering:
    """One message on its way from tokens to HTML, with the seconds left for colouring code."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._seconds_left = _HIGHLIGHT_SECONDS

    def html(self, tokens: list[Token]) -> str:
        return "".join(self._piece(token) for token in _inline(tokens) if not token.hidden)

    def _piece(self, token: Token) -> str:
        fixed = _FIXED.get(token.type)
        return self._MADE[token.type](self, token) if fixed is None else fixed

    def _text(self, token: Token) -> str:
        return escape(token.content)

    def _mention(self, token: Token) -> str:
        return _mention(token.content, self._people)

    def _link(self, token: Token) -> str:
        """Nothing for `[text]()`; the sanitiser drops the end tag that is left over."""
        href = str(token.attrs["href"])
        return f'<a href="{escape(href)}">' if href else ""

    def _ordered_list(self, token: Token) -> str:
        return f'<ol start="{token.attrs["start"]}">' if "start" in token.attrs else "<ol>"

    def _code(self, token: Token) -> str:
        return f"<code>{escape(token.content)}</code>"

    def _code_block(self, token: Token) -> str:
        word = (token.info.split() or [""])[0].lower()
        language = _OTHER_NAMES.get(word, word)
        if language in _LANGUAGES and len(token.content) <= _LONGEST_COLOURED:
            return self._coloured(token.content, language)
        return _figure(escape(token.content), caption=word[:32])

    def _coloured(self, code: str, language: str) -> str:
        lexer = _lexer_class(language)(**_LEXER_OPTIONS)
        started = thread_time()
        spans = _spans(lexer.get_tokens(code), until=started + self._seconds_left)
        self._seconds_left -= thread_time() - started
        return _figure(spans or escape(code), caption=lexer.name, language=language)

    _MADE: Mapping[str, Callable[["_Rendering", Token], str]] = {
        "text": _text,
        "mention": _mention,
        "link_open": _link,
        "ordered_list_open": _ordered_list,
        "code_inline": _code,
        "fence": _code_block,
    }


_FIXED = {
    "paragraph_open": '<p dir="auto">',
    "paragraph_close": "</p>",
    "blockquote_open": '<blockquote dir="auto">',
    "blockquote_close": "</blockquote>",
    "bullet_list_open": "<ul>",
    "bullet_list_close": "</ul>",
    "ordered_list_close": "</ol>",
    "list_item_open": '<li dir="auto">',
    "list_item_close": "</li>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "em_open": "<em>",
    "em_close": "</em>",
    "s_open": "<s>",
    "s_close": "</s>",
    "link_close": "</a>",
    "softbreak": "<br>",
    "hardbreak": "<br>",
}


def _figure(code: str, *, caption: str, language: str = "") -> str:
    figcaption = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    css = f' class="language-{language}"' if language else ""
    return (
        f'<figure class="code">{figcaption}<pre dir="ltr"><code{css}>{code}</code></pre></figure>'
    )


def _spans(tokens: Iterator[tuple[Any, str]], *, until: float) -> str:
    """Nothing where it takes too long: some lexers can be led astray."""
    spans = []
    for kind, text in tokens:
        if thread_time() > until:
            return ""
        css = _css_class(kind)
        spans.append(f'<span class="{css}">{escape(text)}</span>' if css else escape(text))
    return "".join(spans)


@lru_cache(maxsize=128)
def _lexer_class(language: str) -> Any:
    """Loaded and tried once: that takes up to 0.2 s, which is not the time of a message."""
    lexer = find_lexer_class_by_name(language)
    list(lexer(**_LEXER_OPTIONS).get_tokens("<script>1</script><style>a{}</style>"))
    return lexer


@lru_cache(maxsize=512)
def _css_class(kind: Any) -> str:
    """Pygments' short class; none for what is most of any code, to keep the HTML small."""
    while kind not in STANDARD_TYPES:
        kind = kind.parent
    css: str = STANDARD_TYPES[kind]
    return "" if css in {"n", "p", "w", "err", "x"} else css


# Sanitising: what the parser let through by mistake ends here.

_CLEANER = nh3.Cleaner(
    tags={
        *("p", "br", "strong", "em", "s", "a", "span", "blockquote", "ul", "ol", "li"),
        *("code", "pre", "figure", "figcaption"),
    },
    attributes={
        "a": {"href", "target"},
        "span": {"data-user-id"},
        "ol": {"start"},
        **{block: {"dir"} for block in ("p", "li", "blockquote", "pre")},
    },
    allowed_classes={
        "span": {"mention", *filter(None, STANDARD_TYPES.values())},
        "code": {f"language-{language}" for language in _LANGUAGES},
        "figure": {"code"},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="nofollow noopener noreferrer",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
)
