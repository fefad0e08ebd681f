"""The stage: this worker's own installation, and a real server process on it.

Imported before Django reads the environment.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from chatproject.testing.services import Services, free_port, new_database_name

ROOT = Path(__file__).resolve().parent.parent.parent
IS_SERVICES = os.environ.get("TEST_PROFILE", "embedded") == "services"
"""PostgreSQL, Redis and two workers; otherwise one process on SQLite."""

services = Services()
_folder = tempfile.TemporaryDirectory(prefix="chat-tests-")
_database, _migrated_database = new_database_name(), new_database_name()
_migrated_file = Path(_folder.name) / "migrated.sqlite3"

os.environ["DATA_DIR"] = _folder.name
if IS_SERVICES:
    os.environ.update(services.environment(_database))
# Tests send faster than people; those of the limits have a server of their own.
os.environ["RATE_LIMITS"] = "off"
# Tests may make people while their event loop runs; the server under test may not.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "on"
os.environ.setdefault("SECRET_KEY", "only for tests, and long enough to be taken for a real one")


def prepare() -> None:
    """Starts what the installation stands on."""
    if IS_SERVICES:
        services.create_database(_database)


def keep_as_migrated() -> None:
    """Keeps the installation as it is now for others to begin with."""
    from django.db import connection

    connection.close()
    if IS_SERVICES:
        connection.close_pool()  # type: ignore[attr-defined]
        services.create_database(_migrated_database, template=_database)
    else:
        shutil.copy(connection.settings_dict["NAME"], _migrated_file)


def another_installation(folder: Path) -> dict[str, str]:
    """The environment of an installation beside the one that the tests share: migrated, no more."""
    if IS_SERVICES:
        return _beside(folder, template=_migrated_database)
    shutil.copy(_migrated_file, folder / "chat.sqlite3")
    return {"DATA_DIR": str(folder)}


def empty_installation(folder: Path) -> dict[str, str]:
    """The environment of one that has yet to be made."""
    return _beside(folder) if IS_SERVICES else {"DATA_DIR": str(folder)}


def _beside(folder: Path, **options: str) -> dict[str, str]:
    database = new_database_name()
    services.create_database(database, **options)
    return {"DATA_DIR": str(folder), **services.environment(database)}


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(pid: int, name: str) -> str:
    """Nothing of a process that is over."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text()
    return ""


def _facts(pid: int) -> list[str]:
    """From its state on; its session is the fourth."""
    return _read(pid, "stat").rpartition(")")[2].split()


def _pages(pid: int) -> int:
    sizes = _read(pid, "statm").split()
    return int(sizes[1]) - int(sizes[2]) if sizes else 0


class Server:
    """A server process on this worker's installation."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"PORT": str(self.port), "PUBLIC_URL": self.url, **environment}
        self.log = Path(tempfile.mkstemp(suffix=".log", dir=_folder.name)[1])

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "serve"]

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=ROOT,
                env=self.inherited(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_ready()

    def inherited(self) -> dict[str, str]:
        """Its whole environment."""
        inherited = {**os.environ, **self.environment}
        inherited.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
        return inherited

    def _wait_until_ready(self) -> None:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def processes(self) -> list[int]:
        """All of them: each server is a session of its own."""
        return [pid for pid in _pids() if _facts(pid)[3:4] == [str(self.process.pid)]]

    def workers(self) -> list[int]:
        """Those that serve: itself, unless it has started several."""
        several = [pid for pid in self.processes() if "spawn_main" in _read(pid, "cmdline")]
        return several or [self.process.pid]

    def mebibytes(self) -> float:
        """The memory that all its processes hold, without what they share with others."""
        return sum(map(_pages, self.processes())) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Ends it by a signal: its first process, or all of them where nothing may be tidied up."""
        if how == signal.SIGKILL:
            os.killpg(self.process.pid, how)
        else:
            self.process.send_signal(how)
        return self.process.wait(20)
