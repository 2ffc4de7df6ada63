"""What `manage.py doctor` looks at in the gateway beyond database and Redis."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from carillon.doctor.findings import Finding, State, examine
from gateway.doctor import checks
from gateway.tests.doubles import Reply, ServiceDouble
from gateway.tests.factories import make_notification, make_organization, make_outbox_message

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def found(subject: str) -> list[Finding]:
    """What the check of one subject finds."""
    return examine({subject: checks()[subject]})


def test_rabbitmq_is_among_what_is_looked_at(rabbitmq_url: str, configure: Any) -> None:
    configure(rabbitmq_url=rabbitmq_url)
    said = [finding.said for finding in found("rabbitmq")]
    assert "its exchanges and queues are those of this release" in said


def test_a_neighbour_that_answers_is_well(user_double: ServiceDouble) -> None:
    findings = found("user_service")
    assert {finding.state for finding in findings} == {State.WELL}
    assert "accepts our secret" in findings[0].said


def test_a_neighbour_with_another_secret_is_a_problem(user_double: ServiceDouble) -> None:
    user_double.secret = "another"
    (bad, *_) = found("user_service")
    assert bad.state is State.PROBLEM
    assert "does not accept our INTERNAL_API_SECRET" in bad.said


def test_a_neighbour_that_fails_is_a_problem(user_double: ServiceDouble) -> None:
    user_double.reply = Reply(status=503)
    (bad, *_) = found("user_service")
    assert (bad.state, bad.said) == (State.PROBLEM, "it answers 503")


def test_a_neighbour_that_is_not_there_is_a_problem(configure: Any) -> None:
    configure(template_service_url="http://127.0.0.1:1")
    (bad,) = found("template_service")
    assert bad.state is State.PROBLEM
    assert "TEMPLATE_SERVICE_URL" in bad.mend


@pytest.mark.parametrize(
    ("minutes", "state"), [(-60, State.WELL), (0, State.WELL), (5, State.PROBLEM)]
)
def test_what_is_long_due_is_a_problem(minutes: int, state: State) -> None:
    due = timezone.now() - timedelta(minutes=minutes)
    make_outbox_message(make_notification(), available_at=due)
    (finding,) = found("outbox")
    assert finding.state is state


def test_an_empty_outbox_is_well() -> None:
    assert found("outbox") == [Finding("outbox", State.WELL, "0 messages are due")]


def test_without_an_organization_the_next_step_is_named() -> None:
    (finding,) = found("organizations")
    assert finding.state is State.WARNING
    assert "create_org" in finding.mend
    make_organization()
    (finding,) = found("organizations")
    assert finding.said == "1 may send"


@pytest.mark.parametrize(
    ("url", "state", "said"),
    [
        ("https://notify.example.com", State.WELL, "notify.example.com"),
        ("http://notify.example.com", State.WARNING, "over https alone"),
        ("http://127.0.0.1:8000", State.WARNING, "lead to this machine"),
    ],
)
def test_links_lead_to_where_the_public_gets(
    configure: Any, url: str, state: State, said: str
) -> None:
    configure(public_url=url)
    (finding,) = found("public_url")
    assert finding.state is state
    assert said in finding.said
