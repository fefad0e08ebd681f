"""What an operator may set, and how a wrong value stops the start."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatproject import env

SQLITE = Path("/srv/chat.sqlite3")


@pytest.fixture
def value(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda value: monkeypatch.setenv("VALUE", value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("on", True), ("TRUE", True), ("1", True), ("Yes", True), (" on ", True)]
    + [("off", False), ("False", False), ("0", False), ("NO", False)],
)
def test_a_boolean_is_said_in_several_ways(value: Any, given: str, expected: bool) -> None:
    value(given)
    assert env.boolean("VALUE", default=not expected) is expected


@pytest.mark.parametrize("given", ["", "  "])
def test_an_empty_value_counts_as_not_set(value: Any, given: str) -> None:
    value(given)
    assert env.boolean("VALUE", default=True) is True
    assert env.integer("VALUE", 7, 1, 9) == 7
    assert env.choice("VALUE", "open", ["open", "closed"]) == "open"
    assert env.text("VALUE", "Chat") == "Chat"
    assert env.networks("VALUE") == []
    assert env.url("VALUE") == ""
    assert env.database("VALUE", SQLITE)["NAME"] == SQLITE


@pytest.mark.parametrize("given", ["maybe", "2", "None", "onn"])
def test_anything_else_is_no_boolean(value: Any, given: str) -> None:
    value(given)
    with pytest.raises(ImproperlyConfigured, match=rf"^VALUE={given} .*: set it to on or off\.$"):
        env.boolean("VALUE")


@pytest.mark.parametrize(("given", "expected"), [("1", 1), ("65535", 65535), ("080", 80)])
def test_an_integer_within_its_range_is_taken(value: Any, given: str, expected: int) -> None:
    value(given)
    assert env.integer("VALUE", 8000, 1, 65535) == expected


@pytest.mark.parametrize(
    "given", ["0", "65536", "-1", "8_000", "+80", "1.0", "٣", "--1", "abc", "9" * 5000]
)
def test_any_other_integer_stops_the_start(value: Any, given: str) -> None:
    value(given)
    with pytest.raises(ImproperlyConfigured, match=r"^VALUE=.*: set it to 1 to 65535\.$"):
        env.integer("VALUE", 8000, 1, 65535)


def test_a_choice_is_taken_in_any_case_and_nothing_else_is(value: Any) -> None:
    value("Closed")
    assert env.choice("VALUE", "open", ["open", "closed"]) == "closed"
    value("ajar")
    with pytest.raises(ImproperlyConfigured, match=r"^VALUE=ajar .*: set it to open or closed\.$"):
        env.choice("VALUE", "open", ["open", "closed"])


def test_networks_are_addresses_or_ranges(value: Any) -> None:
    value("127.0.0.1, 10.0.0.0/8,::1")
    assert env.networks("VALUE") == [
        ip_network("127.0.0.1/32"),
        ip_network("10.0.0.0/8"),
        ip_network("::1/128"),
    ]


@pytest.mark.parametrize("given", ["proxy.example.org", "10.0.0.1/8", "*", "127.0.0.1;::1"])
def test_a_name_is_no_network(value: Any, given: str) -> None:
    value(given)
    with pytest.raises(ImproperlyConfigured, match="VALUE="):
        env.networks("VALUE")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://Chat.example.org/", "https://chat.example.org"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_a_scheme_a_host_and_a_port(value: Any, given: str, expected: str) -> None:
    value(given)
    assert env.origin("VALUE", "http://127.0.0.1:8000") == expected


@pytest.mark.parametrize(
    "given",
    ["chat.example.org", "ftp://a.org", "https://", "https://a.org/chat", "https://a.org?b"]
    + ["https://user:hush@a.org", "https://a.org:99999", "https://[::1", "https:a.org"],
)
def test_anything_else_is_no_origin_and_no_password_is_shown(value: Any, given: str) -> None:
    value(given)
    with pytest.raises(ImproperlyConfigured, match="VALUE") as raised:
        env.origin("VALUE", "http://127.0.0.1:8000")
    assert "hush" not in str(raised.value)


def test_a_url_has_one_of_its_schemes_and_shows_no_password(value: Any) -> None:
    value("rediss://:hush@redis:6379/0")
    assert env.url("VALUE", schemes=["redis", "rediss"]) == "rediss://:hush@redis:6379/0"
    with pytest.raises(ImproperlyConfigured, match="VALUE") as raised:
        env.url("VALUE", schemes=["redis"])
    assert "hush" not in str(raised.value)


def test_a_database_is_postgresql_or_sqlite(value: Any) -> None:
    value("postgres://chat:p%40ss@db.example.org:5433/chat?sslmode=require")
    config = env.database("VALUE", SQLITE)
    assert config["ENGINE"] == "django.db.backends.postgresql"
    assert (config["USER"], config["PASSWORD"], config["NAME"]) == ("chat", "p@ss", "chat")
    assert (config["HOST"], config["PORT"]) == ("db.example.org", 5433)
    assert config["OPTIONS"] == {"sslmode": "require"}
    value("sqlite:////srv/other.sqlite3")
    assert env.database("VALUE", SQLITE)["NAME"] == "/srv/other.sqlite3"


@pytest.mark.parametrize(
    "given",
    [
        "mysql://a:hush@b/c",
        "hush",
        "postgres://a:hush@b",
        "postgres://a:hush@b:port/c",
        "sqlite:",
        "sqlite://:memory:",
    ],
)
def test_any_other_database_stops_the_start(value: Any, given: str) -> None:
    value(given)
    with pytest.raises(ImproperlyConfigured, match="VALUE") as raised:
        env.database("VALUE", SQLITE)
    assert "hush" not in str(raised.value)


def test_a_file_gives_what_the_environment_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("# site\nTEST_FROM_FILE='My Chat'\nTEST_FROM_BOTH=file\n")
    monkeypatch.setenv("TEST_FROM_FILE", "undone at the end")
    monkeypatch.delenv("TEST_FROM_FILE")
    monkeypatch.setenv("TEST_FROM_BOTH", "environment")
    env.read_file(file)
    assert env.text("TEST_FROM_FILE") == "My Chat"
    assert env.text("TEST_FROM_BOTH") == "environment"


def test_a_file_need_not_be_there(tmp_path: Path) -> None:
    env.read_file(tmp_path / ".env")


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    first = env.secret(directory, "secret_key")
    assert len(first) >= 64
    assert env.secret(directory, "secret_key") == first
    assert stat.S_IMODE((directory / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in directory.iterdir()] == ["secret_key"]


def test_processes_that_start_together_share_a_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: env.secret(tmp_path / "data", "secret_key"), range(64)))
    assert len(found) == 1


def test_an_empty_secret_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(ImproperlyConfigured, match="delete it"):
        env.secret(tmp_path, "secret_key")


def test_a_place_that_cannot_hold_a_secret_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, no folder")
    with pytest.raises(ImproperlyConfigured, match="DATA_DIR"):
        env.secret(tmp_path / "data", "secret_key")


def test_a_derived_key_differs_by_secret_and_purpose() -> None:
    keys = {env.derived_key(secret, purpose) for secret in "ab" for purpose in ("jwt", "mail")}
    assert len(keys) == 4
    assert env.derived_key("a", "jwt") == env.derived_key("a", "jwt")


def test_a_release_changes_with_names_and_content(tmp_path: Path) -> None:
    releases = [env.release(tmp_path)]
    (tmp_path / "a.js").write_text("1")
    releases.append(env.release(tmp_path))
    (tmp_path / "a.js").write_text("2")
    releases.append(env.release(tmp_path))
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    releases.append(env.release(tmp_path))
    assert len(set(releases)) == 4
    assert env.release(tmp_path) == releases[-1]
