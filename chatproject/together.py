"""Questions to the database that come at once, asked at once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from chatproject.pools import in_database_pool

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MAX_TOGETHER = 200


class Together(Generic[Question, Answer]):
    """What is asked while an answer is being found is asked together next, in one go.

    ``ask`` runs in the database pool; it gets the questions and returns as many answers. It
    begins after its last question came, so no answer is older than its question.
    """

    def __init__(self, ask: Callable[[Sequence[Question]], Sequence[Answer]]) -> None:
        self._ask = ask
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, question: Question) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return await answer

    async def _ask_all(self) -> None:
        while self._waiting:
            batch = self._waiting[:MAX_TOGETHER]
            del self._waiting[:MAX_TOGETHER]
            questions, waiting = zip(*batch, strict=True)
            try:
                answers = await in_database_pool(self._ask, questions)
            except Exception as error:
                for one in waiting:
                    if not one.done():
                        one.set_exception(error)
            else:
                for one, answer in zip(waiting, answers, strict=True):
                    if not one.done():  # else who asked has gone
                        one.set_result(answer)
