"""Work that can be stopped at any moment by Ctrl-C, SIGTERM or a closed terminal.

The work is done in a thread, and the main thread only waits: a signal then never interrupts the
lines between starting a process and remembering it, and no process is left behind.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from deploy.local.console import Console
from deploy.local.errors import StackError
from deploy.local.roster import Roster

INTERRUPTED = 130  # what shells answer for a program that Ctrl-C ended
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_until_stopped(
    work: Callable[[], int],
    roster: Roster,
    console: Console,
    *,
    stopping: str = "Stopping",
    when_stopped: int = INTERRUPTED,
) -> int:
    """Do `work`, and then, or when told to stop, end every process of `roster`.

    Returns the exit code: the work's own, 1 if it raised StackError (which is printed), or
    `when_stopped` if it was told to stop. A second signal ends all processes at once. `stopping`
    is what is said while they are ended.
    """
    task = _Task(work)
    stop = threading.Event()
    with _signals(stop, roster, console):
        task.start()
        while task.is_alive() and not stop.wait(0.1):
            pass
        stopped = stop.is_set()
        if stopped:
            console.line()
        if roster.children():
            with console.step(stopping):
                roster.stop_all()
        else:
            roster.stop_all()
        # What is left of the work sees its processes gone; apt-get alone is given the time to
        # finish, since half an installation is worse than none.
        task.join()
    if stopped:
        return when_stopped
    if isinstance(task.error, StackError):
        console.line(f"\n{task.error}", colour="31")
        return 1
    if task.error:
        raise task.error
    return task.code


class _Task(threading.Thread):
    """The work, with what became of it."""

    def __init__(self, work: Callable[[], int]) -> None:
        super().__init__(name="work", daemon=True)
        self._work = work
        self.code = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.code = self._work()
        except BaseException as error:  # noqa: BLE001  raised again in the main thread
            self.error = error


@contextmanager
def _signals(stop: threading.Event, roster: Roster, console: Console) -> Iterator[None]:
    def told(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            # In a thread: the handler interrupts the very lines that may hold the locks.
            threading.Thread(target=end_at_once).start()
        stop.set()

    def end_at_once() -> None:
        console.warn("told again: ending every process at once")
        roster.kill_all()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        # `nohup make run` ignores SIGHUP on purpose.
        if handler is not signal.SIG_IGN:
            signal.signal(number, told)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
