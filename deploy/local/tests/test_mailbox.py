import os
import smtplib
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from deploy.local.errors import StackError
from deploy.local.identity import marked
from deploy.local.mailbox import Mailbox
from deploy.local.mailbox_programs import MAILDEV, mailbox_is_installed
from deploy.local.ports import private_port
from deploy.local.roster import Roster


def mailbox(folder: Path, roster: Roster) -> Mailbox:
    return Mailbox(
        folder / "mails", roster=roster, smtp_port=private_port(), web_port=private_port()
    )


@pytest.mark.integration
def test_a_mail_can_be_looked_at_and_is_kept(tmp_path: Path, roster: Roster) -> None:
    if not mailbox_is_installed():
        if os.environ.get("CI"):
            pytest.fail("the mailbox is not installed")
        pytest.skip("the mailbox is not installed; `make test` installs it")
    if not MAILDEV.exists():
        pytest.skip("sendria serves here, whose API is another")
    box = mailbox(tmp_path, roster)
    box.start()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@carillon.test", "ada@example.com", "Grüße"
    mail.set_content("text")
    mail.add_alternative("<p>html</p>", subtype="html")
    host, _, port = box.smtp_url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port)) as client:
        client.send_message(mail)
    kept = mails(box)
    assert [(one["subject"], one["text"].strip(), one["html"].strip()) for one in kept] == [
        ("Grüße", "text", "<p>html</p>")
    ]
    roster.stop(Mailbox.name)
    assert marked(tmp_path) == []
    box.start()
    assert [one["subject"] for one in mails(box)] == ["Grüße"]


def test_a_mailbox_that_cannot_start_says_why(
    tmp_path: Path, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.js"
    broken.write_text("console.log('no such module'); process.exit(1)")
    monkeypatch.setattr("deploy.local.mailbox.find_node", lambda: (Path("/bin/sh"), Path("npm")))
    monkeypatch.setattr("deploy.local.mailbox.MAILDEV", broken)
    with pytest.raises(StackError, match="mailbox does not start"):
        mailbox(tmp_path, roster).start()


def test_without_any_program_the_way_to_one_is_named(
    tmp_path: Path, roster: Roster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.local.mailbox.find_node", lambda: None)
    monkeypatch.setattr("deploy.local.mailbox.SENDRIA", tmp_path / "absent")
    with pytest.raises(StackError, match="make run"):
        mailbox(tmp_path, roster).start()


def mails(box: Mailbox) -> list[dict[str, str]]:
    """What it shows, once it shows anything: it reads and stores mails while it serves."""
    deadline = time.monotonic() + 15
    found: list[dict[str, str]] = []
    while not found and time.monotonic() < deadline:
        found = requests.get(f"{box.web_url}/email", timeout=5).json()
        time.sleep(0.02)
    return found
