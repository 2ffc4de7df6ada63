"""Several pieces of work at once."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait


def together(work: Sequence[Callable[[], None]]) -> None:
    """Do all pieces at once; raises the first failure without waiting for the others.

    What those others are doing then ends by itself once the roster that they use is closed.
    """
    if not work:
        return
    pool = ThreadPoolExecutor(len(work))
    try:
        futures = [pool.submit(piece) for piece in work]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
