"""``docs/reliability.md`` names tests that there are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.embedded


def known_tests() -> set[str]:
    """As the page names them: ``test_file.py::test_name``."""
    return {
        f"{path.name}::{name}"
        for path in ROOT.glob("*/tests/test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }


def test_every_test_that_the_page_names_is_there():
    named = set(re.findall(r"test_\w+\.py::test_\w+", (ROOT / "docs/reliability.md").read_text()))
    assert len(named) > 50
    assert named - known_tests() == set()
