"""What the field does with text that cannot be sent."""

from typing import Any

import pytest
from playwright.sync_api import expect

from chatproject.testing import Person

pytestmark = pytest.mark.embedded


def test_a_text_that_is_too_long_is_counted_and_neither_cut_nor_sent(
    open_page: Any, alice: Person, group: dict[str, Any]
) -> None:
    page = open_page(alice, f"/c/{group['id']}")
    field = page.get_by_role("textbox", name="Message Regatta weekend")
    field.fill("a short one")
    field.press("Enter")
    timeline = page.get_by_role("region", name="Messages")
    expect(timeline.get_by_text("a short one")).to_be_visible()
    field.focus()
    page.keyboard.insert_text("x" * 10_014)
    expect(field).to_have_value("x" * 10_014)
    expect(page.get_by_text("-14", exact=True)).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("x" * 10_014)
    expect(timeline.get_by_text("xxxx")).to_have_count(0)
