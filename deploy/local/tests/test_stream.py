import io
import threading

from deploy.local.console import Console, table
from deploy.local.stream import WAITING_LINES, LogStream


class Paused(io.StringIO):
    """A terminal that somebody has paused."""

    def __init__(self) -> None:
        super().__init__()
        self.resumed = threading.Event()

    def write(self, text: str) -> int:
        self.resumed.wait(60)
        return super().write(text)


def test_lines_come_under_the_name_of_their_process_without_colours_in_a_pipe() -> None:
    output = io.StringIO()
    stream = LogStream(output)
    stream.line("gateway", b"before it is opened\n")
    stream.open()
    stream.line("gateway", "grüße\n".encode())
    stream.line("relay", b"\xff not UTF-8\n")
    stream.close()
    lines = output.getvalue().splitlines()
    assert [line.split("|")[1] for line in lines] == [" grüße", " \ufffd not UTF-8"]
    assert "gateway" in lines[0]
    assert "\033" not in output.getvalue()


def test_a_paused_terminal_holds_up_nobody() -> None:
    output = Paused()
    stream = LogStream(output)
    stream.open()
    # It resumes only afterwards.
    for _ in range(WAITING_LINES + 100):
        stream.line("gateway", b"line\n")
    assert stream.dropped >= 99
    output.resumed.set()
    stream.close()


def test_a_closed_terminal_ends_the_stream_and_nothing_else() -> None:
    output = io.StringIO()
    stream = LogStream(output)
    stream.open()
    output.write = _gone  # type: ignore[method-assign]
    stream.line("gateway", b"line\n")
    stream.close()


def _gone(_text: str) -> int:
    raise BrokenPipeError


def test_a_step_is_said_when_it_begins_and_ends_and_in_whole_lines() -> None:
    output = io.StringIO()
    with Console(output).step("Counting"):
        assert output.getvalue() == "  > Counting\n"
    begun, ended = output.getvalue().splitlines()
    assert begun == "  > Counting"
    assert ended.startswith("  + Counting (")
    assert "\033" not in output.getvalue()


def test_a_table_is_as_wide_as_its_cells() -> None:
    assert table(("id", "status"), [("notif_1", "delivered"), ("n", "")]) == [
        "id       status",
        "-------  ---------",
        "notif_1  delivered",
        "n",
    ]
