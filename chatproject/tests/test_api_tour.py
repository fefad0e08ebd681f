"""The examples of docs/api.md and README.md run as they stand, and answer what they show.

Shell and Python blocks are run in order, each kind in one session. A JSON or text block right
after one is what it prints, in which ``…`` stands for anything.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from accounts.api_urls import urlpatterns as accounts_urls
from chatproject.testing import Server
from chatproject.testing.stage import ROOT
from chats.api_urls import urlpatterns as chats_urls
from messaging.api_urls import urlpatterns as messaging_urls
from messaging.asyncapi import CLOSE_CODES, EVENTS
from messaging.frames import FRAMES

TOUR = ROOT / "docs" / "api.md"
README = ROOT / "README.md"
DOCUMENTED_AT = "http://127.0.0.1:8000"
NOT_RUN = {
    "git clone <this repository> chat && cd chat": "it is how one came here",
    "bin/test": "it runs this test",
}


class Block(NamedTuple):
    line: int
    language: str
    text: str

    @property
    def is_example(self) -> bool:
        return self.language in ("sh", "python") and not self.is_exempt

    @property
    def is_exempt(self) -> bool:
        return self.text.partition("\n")[0] in NOT_RUN


def _blocks(document: Path) -> list[Block]:
    text = document.read_text()
    return [
        Block(text.count("\n", 0, found.start()) + 1, *found.groups())
        for found in re.finditer(r"^```(\w*)\n(.*?\n)```$", text, re.MULTILINE | re.DOTALL)
    ]


def _examples(document: Path) -> Iterator[tuple[Block, Block | None]]:
    """Each block that is run, with the one that shows its answer."""
    blocks = _blocks(document)
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block.is_example:
            has_answer = following and following.language in ("json", "text")
            yield block, following if has_answer else None


class Session:
    """An interpreter that is told one block after the other."""

    COMMANDS = {
        "sh": (["bash"], r"printf '\nEND %d\n' $?"),
        "python": ([sys.executable, "-u", "-m", "asyncio"], r'print("\nEND 0")'),
    }

    def __init__(self, language: str, folder: Path) -> None:
        command, self._end = self.COMMANDS[language]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self._process = subprocess.Popen(command, cwd=folder, text=True, **pipes)
        if language == "python":
            self.run('import sys; sys.ps1 = sys.ps2 = ""')

    def run(self, text: str) -> str:
        """What it prints, errors too."""
        self._process.stdin.write(f"{text}\n{self._end}\n")
        self._process.stdin.flush()
        lines = []
        for line in self._process.stdout:
            if line.startswith("END "):
                assert line == "END 0\n", f"it ended with {line[4:]}{''.join(lines)}"
                return "".join(lines).strip()
            lines.append(line)
        raise AssertionError("".join(lines))

    def close(self) -> None:
        self._process.communicate(timeout=10)


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[dict[str, Session]]:
    opened = {language: Session(language, tmp_path) for language in Session.COMMANDS}
    yield opened
    for session in opened.values():
        session.close()


@pytest.mark.embedded
@pytest.mark.parametrize("document", [README, TOUR], ids=lambda path: path.name)
def test_every_example_answers_what_is_shown(
    document: Path, sessions: dict[str, Session], own_server: Server
):
    examples = list(_examples(document))
    assert examples
    for block, answer in examples:
        where = f"{document.name}:{block.line}"
        printed = sessions[block.language].run(block.text.replace(DOCUMENTED_AT, own_server.url))
        printed = printed.replace(own_server.url, DOCUMENTED_AT)
        if answer is None:
            assert printed == "", where
        elif answer.language == "text":
            assert printed == answer.text.strip(), where
        else:
            _assert_shows(_values(_quoted(answer.text)), _values(printed), where)


@pytest.mark.parametrize("document", [README, TOUR], ids=lambda path: path.name)
def test_every_block_is_an_example_an_answer_or_exempt(document: Path):
    answers = {answer for _, answer in _examples(document)}
    for block in _blocks(document):
        assert block.is_example or block.is_exempt or block in answers, block


def test_what_is_exempt_is_there():
    first_lines = {block.text.partition("\n")[0] for block in _blocks(README) + _blocks(TOUR)}
    assert first_lines >= NOT_RUN.keys()


def _names_in_table(head: str, name: str = "`([a-z.]+)`") -> set[str]:
    """What the first column of a table of the tour names."""
    table = TOUR.read_text().partition(f"| {head} |")[2].partition("\n\n")[0]
    return {one for row in table.splitlines()[2:] for one in re.findall(name, row.split("|")[1])}


def test_the_tour_names_every_frame_event_and_close_code():
    assert _names_in_table("you send") == set(FRAMES)
    assert _names_in_table("you hear") == set(EVENTS)
    assert _names_in_table("closed with", "[0-9]+") == {str(code) for code in CLOSE_CODES}


def test_the_tour_names_every_address():
    tour = re.sub(r"\$\w+|\{\w+\}", "{}", TOUR.read_text())
    for route in accounts_urls + chats_urls + messaging_urls:
        path = re.sub(r"<[^>]+>", "{}", f"/{route.pattern}")
        assert re.search(re.escape(path) + r"(?![\w/{])", tour), path


# Comparing


def _quoted(text: str) -> str:
    """An answer as shown, made JSON: ``…`` is a string, or in place of fields a field."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    for index in range(0, len(parts), 2):
        parts[index] = re.sub(r"([{,]\s*)…(?=\s*})", r'\1"…": "…"', parts[index])
        parts[index] = re.sub(r'(?<!")…(?!")', '"…"', parts[index])
    return "".join(parts)


def _values(text: str) -> list[Any]:
    """The JSON values of a text, one after the other; Python's True is taken for JSON's."""
    reader, found, at = json.JSONDecoder(), [], 0
    text = re.sub(r"\bTrue\b", "true", text.strip())
    while at < len(text):
        try:
            value, at = reader.raw_decode(text, at)
        except json.JSONDecodeError:
            raise AssertionError(text) from None
        found.append(value)
        at += len(text[at:]) - len(text[at:].lstrip())
    return found


def _assert_shows(shown: Any, real: Any, where: str) -> None:
    """``real`` is what is shown, of the same types; ``…`` stands for anything."""
    if isinstance(shown, str) and "…" in shown:
        if shown != "…":
            assert isinstance(real, str), where
            pattern = ".+".join(map(re.escape, shown.split("…")))
            assert re.fullmatch(pattern, real, re.DOTALL), f"{where}: {real!r} is not {shown!r}"
    elif isinstance(shown, dict) and isinstance(real, dict):
        left_out = shown.pop("…", None)
        assert shown.keys() <= real.keys() if left_out else shown.keys() == real.keys(), (
            f"{where}: {shown.keys() ^ real.keys()}"
        )
        for key, value in shown.items():
            _assert_shows(value, real[key], f"{where}.{key}")
    elif isinstance(shown, list) and isinstance(real, list):
        assert len(shown) == len(real), f"{where}: {real}"
        for index, value in enumerate(shown):
            _assert_shows(value, real[index], f"{where}[{index}]")
    else:
        assert (type(shown), shown) == (type(real), real), where
