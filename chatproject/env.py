"""Strict readers of the environment: a value that is not understood stops the start."""

import hashlib
import hmac
import ipaddress
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_BOOLEANS = {
    **dict.fromkeys(("on", "true", "1", "yes"), True),
    **dict.fromkeys(("off", "false", "0", "no"), False),
}
_DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
_SHORTEST_SECRET = 32


def read_file(path: Path) -> None:
    """Take the KEY=VALUE lines of a file, if it exists. What is set already wins."""
    if path.is_file():
        environ.Env.read_env(str(path))


def text(name: str, default: str = "") -> str:
    """The value without the white space around it. Empty counts as not set, here and below."""
    return os.environ.get(name, "").strip() or default


def strong_text(name: str) -> str:
    """The same, of 32 characters or more: what nobody can guess; "" when not set."""
    value = text(name)
    if 0 < len(value) < _SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"{name} is shorter than {_SHORTEST_SECRET} characters: set a longer random one, such "
            "as 'openssl rand -hex 32' prints."
        )
    return value


def boolean(name: str, default: bool = False) -> bool:
    """on, true, 1, yes or off, false, 0, no, in any case."""
    value = text(name)
    if not value:
        return default
    try:
        return _BOOLEANS[value.lower()]
    except KeyError:
        raise _refusal(name, value, "is neither on nor off", "set it to on or off") from None


def integer(name: str, default: int, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    value = text(name)
    if not value:
        return default
    # int() alone would take 8_000, +8000 and digits of other scripts.
    if re.fullmatch(r"-?[0-9]{1,18}", value) and low <= int(value) <= high:
        return int(value)
    raise _refusal(name, value, "is out of range or no whole number", f"set it to {low} to {high}")


def choice(name: str, default: str, choices: Sequence[str]) -> str:
    """One of the choices, in any case; returned as it stands among them."""
    value = text(name, default)
    for known in choices:
        if value.lower() == known.lower():
            return known
    raise _refusal(name, value, "is not known", f"set it to {' or '.join(choices)}")


def networks(name: str) -> list[Network]:
    """Addresses and networks (CIDR), separated by commas; none when not set."""
    found: list[Network] = []
    for part in filter(None, (part.strip() for part in text(name).split(","))):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError:
            cure = "list addresses or networks such as 127.0.0.1, 10.0.0.0/8"
            raise _refusal(name, part, "is no address or network", cure) from None
    return found


def url(name: str, default: str = "", schemes: Sequence[str] = ("http", "https")) -> str:
    """A URL of one of the schemes, without a slash at its end; "" when not set and no default."""
    value = text(name, default)
    if value:
        parts = _parts(value)
        # A URL may hold a password: only its scheme is ever shown.
        if parts is None or parts.scheme not in schemes or not (parts.hostname or parts.path):
            cure = f"it begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
            raise ImproperlyConfigured(f"{name} is not a URL that can be used: {cure}.")
    return value.rstrip("/")


def origin(name: str, default: str) -> str:
    """scheme://host[:port] of http or https, in lower case, with nothing after it."""
    value = url(name, default)
    parts = urlsplit(value)
    extra = parts.path or parts.query or parts.fragment or parts.username or parts.password
    if extra or not parts.hostname:
        raise ImproperlyConfigured(
            f"{name} is more or less than an origin: set it to something like "
            "https://chat.example.org, with nothing after the host and port."
        )
    return value.lower()


def directory(name: str, default: Path) -> Path:
    """The path of a folder, which is made if it is not there, for its owner alone."""
    path = Path(text(name, str(default))).absolute()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        cure = "name a folder that the user who runs this may make and write"
        raise _refusal(name, str(path), f"cannot be used ({error.strerror})", cure) from None
    return path


def database(name: str, default: Path) -> dict[str, Any]:
    """Django's settings of a database from sqlite:///path or postgres://user:password@host/name.

    Without a value: the SQLite file default.
    """
    value = text(name)
    if not value:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": default}
    parts = _parts(value)
    if parts is not None and parts.scheme in _DATABASE_SCHEMES:
        config: dict[str, Any] = environ.Env.db_url_config(value)
        if config["NAME"] not in ("", ":memory:"):
            return config
    raise ImproperlyConfigured(
        f"{name} is not the URL of a database: set it to sqlite:///path/to/file or "
        "postgres://user:password@host:5432/name, with special characters percent-encoded."
    )


def secret(directory: Path, name: str) -> str:
    """The secret in directory/name; made at the first call, in a file for its owner alone.

    Processes that start together get the same one.
    """
    path = directory / name
    try:
        if not path.exists():
            _write_secret(path)
        value = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ImproperlyConfigured(
            f"{path} cannot be read or made ({reason}): give DATA_DIR to the user that runs this."
        ) from None
    if len(value) < _SHORTEST_SECRET:
        raise ImproperlyConfigured(
            f"{path} holds less than {_SHORTEST_SECRET} characters: delete it, and a new one "
            "is made (everyone has to sign in again)."
        )
    return value


def derived_key(secret: str, purpose: str) -> str:
    """A key of 64 hexadecimal digits that tells nothing of the secret or of another purpose's."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def release(directory: Path) -> str:
    """Twelve characters that change with any file below the directory."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(directory).as_posix()}\n{content}\n".encode())
    return digest.hexdigest()[:12]


def _write_secret(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces: of two processes, the second finds the first one's secret.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _parts(value: str) -> SplitResult | None:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is no number or out of range
    except ValueError:
        return None
    return parts


def _refusal(name: str, value: str, wrong: str, cure: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={value} {wrong}: {cure}.")
