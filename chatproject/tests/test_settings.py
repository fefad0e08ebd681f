"""README, ``.env.example`` and the settings name the same variables with the same defaults."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOWN = """
HOST PORT DATA_DIR DATABASES REDIS_URL WORKERS SECRET_KEY PUBLIC_URL TRUSTED_PROXIES
SITE_NAME REGISTRATION_OPEN RATE_LIMITS DEBUG
""".split()


def variables_of_settings() -> list[str]:
    """The names that settings.py reads, in order: ``env.text("HOST", …)``."""
    tree = ast.parse((ROOT / "chatproject" / "settings.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    return [
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    ]


def example() -> dict[str, str]:
    """The lines of ``.env.example`` as they are without their ``#``."""
    text = (ROOT / ".env.example").read_text("utf-8")
    return dict(re.findall(r"^# ?([A-Z_]+)=(.*)$", text, re.MULTILINE))


def readme() -> dict[str, str]:
    """The rows of README's table: each variable with its default, as it is shown."""
    text = (ROOT / "README.md").read_text("utf-8")
    table = re.search(r"^\| variable \| default \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table, "README has no table of settings"
    rows = [[cell.strip() for cell in row.split("|")[1:4]] for row in table[1].splitlines()]
    return {name: default for names, default, _ in rows for name in re.findall(r"`(\w+)`", names)}


def settings_with(folder: Path, variables: dict[str, str]) -> dict[str, object]:
    """What settings.py makes of an environment with nothing else in it."""
    script = (
        "import json; from chatproject import settings;"
        f"print(json.dumps({{name: getattr(settings, name) for name in {SHOWN}}}, default=str))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(answer.stdout)
    return found


def test_settings_are_read_at_all():
    assert {"HOST", "PORT", "SECRET_KEY", "DATABASE_URL"} <= set(variables_of_settings())


def test_the_example_names_every_variable_once_and_sets_none():
    text = (ROOT / ".env.example").read_text("utf-8")
    named = re.findall(r"^# ?([A-Z_]+)=", text, re.MULTILINE)
    assert sorted(named) == sorted(variables_of_settings())
    assert not re.search(r"^[^#\n]", text, re.MULTILINE)


def test_the_readme_has_a_row_for_every_variable():
    assert sorted(readme()) == sorted(variables_of_settings())


def test_readme_and_example_show_the_same_defaults():
    """In words in README where there is no value, or where it depends on others."""
    shown = {
        name: default[1:-1]
        for name, default in readme().items()
        if re.fullmatch(r"`[^`]+`", default) and name != "PUBLIC_URL"
    }
    assert {"HOST", "PORT", "WORKERS", "SITE_NAME", "DEBUG"} <= shown.keys()
    assert {name: example()[name] for name in shown} == shown


@pytest.mark.skipif((ROOT / ".env").exists(), reason="this clone has an .env that would win")
def test_the_example_without_its_marks_changes_no_setting(tmp_path: Path):
    theirs = {name: value for name, value in example().items() if name != "DATA_DIR"}
    plain = settings_with(tmp_path, {})
    assert plain["PORT"] == 8000
    assert settings_with(tmp_path, theirs) == plain
    assert settings_with(tmp_path, {**theirs, "PORT": "9000"}) != plain
