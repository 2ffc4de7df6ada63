import os
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.mailbox import Mailbox
from deploy.local.mailbox_programs import mailbox_is_installed
from deploy.local.ports import private_port
from deploy.local.roster import Roster
from deploy.local.tests.mailbox_reader import shown_mails
from deploy.local.tests.marks import nothing_left


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
    box = mailbox(tmp_path, roster)
    box.start()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@carillon.test", "ada@example.com", "Grüße"
    mail.set_content("text")
    mail.add_alternative("<p>html</p>", subtype="html")
    host, _, port = box.smtp_url.removeprefix("smtp://").partition(":")
    with smtplib.SMTP(host, int(port)) as client:
        client.send_message(mail)
    [shown] = shown_mails(box.web_url)
    assert (shown.subject, shown.text) == ("Grüße", "text")
    assert "<p>html</p>" in shown.html  # sendria adds the document around it
    roster.stop(Mailbox.name)
    assert nothing_left(tmp_path)
    box.start()
    assert shown_mails(box.web_url) == [shown]


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
