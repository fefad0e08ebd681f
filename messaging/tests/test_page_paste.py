"""What is pasted: rich text with its marks, links, and plain text as it is."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded

Open = Callable[..., Page]

PASTE = """(field, kinds) => {
    const clipboardData = new DataTransfer();
    for (const [kind, text] of Object.entries(kinds)) clipboardData.setData(kind, text);
    const event = new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true});
    if (field.dispatchEvent(event)) document.execCommand("insertText", false, kinds["text/plain"]);
}"""


@pytest.fixture
def field(open_page: Open, alice: Person, group: dict[str, Any]) -> Locator:
    found = open_page(alice, f"/c/{group['id']}").locator("[data-composer] textarea")
    expect(found).to_be_focused()
    return found


def paste(field: Locator, plain: str, html: str = "") -> None:
    kinds = {"text/plain": plain, **({"text/html": html} if html else {})}
    field.evaluate(PASTE, kinds)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>So <b>bold </b>and <em>it</em> and <s>gone</s></p>",
            "So **bold** and _it_ and ~~gone~~",
        ),
        ("<p><b>one</b></p><p>two<br>three</p>", "**one**\n\ntwo\nthree"),
        ("<ul><li>oars</li><li>a <code>key</code></li></ul>", "- oars\n- a `key`"),
        ("<ol start='3'><li>c</li><li>d</li></ol>", "3. c\n4. d"),
        ("<p>see <a href='https://e.org/x'>the plan</a></p>", "see [the plan](https://e.org/x)"),
        ("<a href='https://e.org/x'>https://e.org/x</a>", "https://e.org/x"),
        ("<a href='javascript:alert(1)'>press</a>", "press"),
        ("<blockquote><p>said</p><p>so</p></blockquote>", "> said\n> \n> so"),
        ("<pre><code>a  =  1\nb\n</code></pre>", "```\na  =  1\nb\n```"),
        ("<h2>Title</h2><p>and text</p>", "**Title**\n\nand text"),
        ("<b style='font-weight:normal'><p>from an <i>editor</i></p></b>", "from an _editor_"),
        ("<style>p {}</style><script>x()</script><p>only <b>this</b></p>", "only **this**"),
    ],
)
def test_rich_text_keeps_its_marks(field: Locator, html: str, text: str) -> None:
    field.fill("before ")
    paste(field, "plain", html)
    expect(field).to_have_value(f"before {text}")


def test_text_without_marks_is_pasted_as_it_is(field: Locator) -> None:
    paste(field, "a  *  b", "<div><span style='color: red'>a  *  b</span></div>")
    expect(field).to_have_value("a  *  b")


def test_an_address_makes_a_link_of_what_is_selected(field: Locator) -> None:
    field.fill("the plan is here")
    field.evaluate("field => field.setSelectionRange(0, 8)")
    paste(field, " https://e.org/x ", "<a href='https://e.org/x'>https://e.org/x</a>")
    expect(field).to_have_value("[the plan](https://e.org/x) is here")
    field.press("Control+z")
    expect(field).to_have_value("the plan is here")
    field.press("End")
    paste(field, "https://e.org/y")
    expect(field).to_have_value("the plan is herehttps://e.org/y")


def test_a_file_that_is_dropped_leaves_the_page_alone(field: Locator) -> None:
    refused = field.page.evaluate(
        """() => ["dragover", "drop"].map(type => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(["x"], "x.txt"));
            const event = new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true});
            return !document.body.dispatchEvent(event);
        })"""
    )
    assert refused == [True, True]
