"""The Markdown of messages: what is not named here is off, such as headings, images and HTML."""

import re
import threading

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.link import link as markdown_link
from markdown_it.token import Token

MAX_MENTIONS = 50
NESTING = 20

_LABEL = re.compile(r"\[(?:\\.|[^\[\]\\]|\[[^\[\]]*+\])++\]\(", re.DOTALL)
MENTION = re.compile(r"(?<!\w)@([A-Za-z0-9_.-]+)")
_MAIL = r"[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w@-])"
# Not in an address: brackets of Markdown, closing marks of other scripts, and the invisible
# characters by which an address could look like another one.
_ADDRESS = (
    r"[^\s<>\[\]\"`\\“”‘’«»、。，！？；：（）「」『』【】《》"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*"
)
_BARE_LINK = (
    rf"(?<!\w)(?:https?://[^\W_]{_ADDRESS}|www\.[\w-]{{1,63}}\.[^\W_]{_ADDRESS}|mailto:{_MAIL})"
    rf"|(?<![\w.+@-]){_MAIL}"
)
_BARE_LINK_HERE = re.compile(_BARE_LINK, re.IGNORECASE)
_TEXT_STOPS = re.compile(rf"[\n\\`*_~\[\]<@]|{_BARE_LINK}", re.IGNORECASE)
_ALLOWED_LINK = re.compile(r"https?://[^/?#]|mailto:[^?]", re.IGNORECASE)


def parse(content: str) -> list[Token]:
    """The tokens of a content; what is written after an `@` is a token of the type "mention"."""
    return _of_thread.parser.parse(content)


class _Markdown(MarkdownIt):
    def __init__(self) -> None:
        super().__init__("zero", {"maxNesting": NESTING})
        self.enable(["blockquote", "list", "fence", "newline", "escape", "backticks"])
        self.enable(["strikethrough", "emphasis", "link", "autolink"])
        self.block.ruler.push("no_lazy_quote", _no_lazy_quote, {"alt": ["blockquote"]})
        self.inline.ruler.at("text", _text)
        self.inline.ruler.at("link", _link)
        self.inline.ruler.push("mention", _mention_rule)
        self.inline.ruler.push("bare_link", _bare_link)

    def validateLink(self, url: str) -> bool:
        return _ALLOWED_LINK.match(url) is not None


def _no_lazy_quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A line without `>` ends the quote: it is the answer, not more of what was quoted."""
    return silent


def _text(state: StateInline, silent: bool) -> bool:
    stop = _TEXT_STOPS.search(state.src, state.pos, state.posMax)
    end = stop.start() if stop else state.posMax
    if end == state.pos:
        return False
    if not silent:
        state.append_pending(state.src[state.pos : end])
    state.pos = end
    return True


def _link(state: StateInline, silent: bool) -> bool:
    """Markdown's own rule reads to the end for each `[`: asked only where a link may stand."""
    return _LABEL.match(state.src, state.pos) is not None and markdown_link(state, silent)


def _mention_rule(state: StateInline, silent: bool) -> bool:
    """The whole run is taken, so that `_` in a name is not read as emphasis."""
    found = MENTION.match(state.src, state.pos, state.posMax)
    if not found or state.linkLevel or not (silent or _take_mention(state)):
        return False
    if not silent:
        state.push("mention", "", 0).content = found[1]
    state.pos = found.end()
    return True


def _bare_link(state: StateInline, silent: bool) -> bool:
    found = _BARE_LINK_HERE.match(state.src, state.pos, state.posMax)
    if not found or state.linkLevel:
        return False
    text = _without_closing_marks(found[0])
    if not silent:
        _push_link(state, text)
    state.pos += len(text)
    return True


def _push_link(state: StateInline, text: str) -> None:
    href = state.md.normalizeLink(_with_scheme(text))
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)


def _with_scheme(address: str) -> str:
    if re.match("https?://|mailto:", address, re.IGNORECASE):
        return address
    return f"http://{address}" if address[:4].lower() == "www." else f"mailto:{address}"


def _without_closing_marks(address: str) -> str:
    surplus = address.count(")") - address.count("(")
    end = len(address)
    while address[end - 1] in "?!.,:;*_~'" or (surplus > 0 and address[end - 1] == ")"):
        surplus -= address[end - 1] == ")"
        end -= 1
    return address[:end]


def _take_mention(state: StateInline) -> bool:
    taken: int = state.env.get("mentions", 0)
    state.env["mentions"] = taken + 1
    return taken < MAX_MENTIONS


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.parser = _Markdown()


_of_thread = _OfThread()
