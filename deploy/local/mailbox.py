"""The mailbox to look at: an SMTP server that keeps every mail, and a page that shows them."""

import os
import time
from pathlib import Path

from deploy.local.child import Command, Layer
from deploy.local.errors import StackError
from deploy.local.mailbox_programs import MAILDEV, SENDRIA
from deploy.local.ports import HOST, accepts
from deploy.local.programs import find_node
from deploy.local.roster import Roster

START_TIMEOUT = 180.0  # seconds
POLL = 0.05  # seconds
SMTP_PORT = 1025
WEB_PORT = 1080


class Mailbox:
    """MailDev, or sendria where there is no Node; mails are kept in `folder`."""

    name = "mailbox"

    def __init__(self, folder: Path, *, roster: Roster, smtp_port: int, web_port: int) -> None:
        self._folder = folder
        self._roster = roster
        self._smtp_port = smtp_port
        self._web_port = web_port

    @property
    def smtp_url(self) -> str:
        """Where mail is handed in."""
        return f"smtp://{HOST}:{self._smtp_port}"

    @property
    def web_url(self) -> str:
        """Where mail is looked at."""
        return f"http://{HOST}:{self._web_port}"

    def start(self) -> None:
        """Start and wait until both ports serve; raises StackError with the end of its log."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        child = self._roster.start(self._command(), show=False)
        deadline = time.monotonic() + START_TIMEOUT
        while not (accepts(self._smtp_port) and accepts(self._web_port)):
            if child.returncode is not None or time.monotonic() > deadline:
                raise StackError(f"The mailbox does not start:\n{child.last_words()}")
            time.sleep(POLL)

    def _command(self) -> Command:
        return Command(
            name=self.name,
            argv=self._maildev() or self._sendria(),
            environment=dict(os.environ),
            folder=self._folder,
            grace=5.0,
            # Stopped after the workers, which may still be handing in mail.
            layer=Layer.SERVER,
        )

    def _maildev(self) -> tuple[str, ...]:
        node = find_node()
        if node is None or not MAILDEV.exists():
            return ()
        smtp = ("--ip", HOST, "--smtp", str(self._smtp_port))
        web = ("--web-ip", HOST, "--web", str(self._web_port))
        return (str(node[0]), str(MAILDEV), *smtp, *web, "--mail-directory", str(self._folder))

    def _sendria(self) -> tuple[str, ...]:
        if not SENDRIA.exists():
            raise StackError("No mailbox is installed; `make run` installs one")
        smtp = ("--smtp-ip", HOST, "--smtp-port", str(self._smtp_port))
        web = ("--http-ip", HOST, "--http-port", str(self._web_port))
        return (
            str(SENDRIA),
            "--foreground",
            "--no-quit",  # its page has a button for that
            "--db",
            str(self._folder / "mails.sqlite"),
            *smtp,
            *web,
        )
