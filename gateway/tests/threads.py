"""Calls that start together, each with its own connection to the database."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import connection

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]], timeout: float = 60.0) -> list[Result]:
    """The results, in the order of the calls."""
    barrier = threading.Barrier(len(calls))
    results: dict[int, Result] = {}

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = calls[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    assert len(results) == len(calls)
    return [results[number] for number in range(len(calls))]
