"""How to ask each of Anymail's services whether it accepts an account, without sending anything.

Anymail only sends, so these calls are ours. Each is the service's own, and answers 401 or 403 to
a key that it does not know.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from carillon.contracts.provider import CannotVerify
from carillon.errors import Reason
from carillon.worker.providers.http import Answer, ProviderHTTP, failure_of
from carillon.worker.providers.verifying import account_check

Credentials = Mapping[str, str]

_ACCEPTED = "{} accepts the key. The sender was not tried."
_SENDS = "{} accepts the key, which may send and do nothing else. The sender was not tried."
# Mandrill says so with a status of 500 (https://mailchimp.com/developer/transactional/docs/errors/).
_PERMANENT: Mapping[str, Reason] = {"Invalid_Key": Reason.CONFIGURATION}


@dataclass(frozen=True, slots=True)
class Check:
    """One call: a GET, or with a `body` (JSON) or a form a POST. `path` is relative to the API's.

    `judge` gives a sentence for what shows that the account is accepted, else None: the answer is
    then judged by its status.
    """

    title: str
    path: Callable[[Credentials], str]
    headers: Callable[[Credentials], Mapping[str, str]]
    body: Callable[[Credentials], object] | None = None
    form: Mapping[str, str] | None = None
    judge: Callable[[str, Answer], str | None] = lambda title, answer: (
        _ACCEPTED.format(title) if answer.status == 200 and answer.fields else None
    )


def verify(service: str, api_url: str, credentials: Credentials, timeout: float) -> str:
    """What was shown, in a sentence; `api_url` ends in a slash, as Anymail has it.

    Raises TemporaryFailure, PermanentFailure or CannotVerify.
    """
    check = CHECKS[service]
    headers = {"Accept": "application/json", **check.headers(credentials)}
    http = ProviderHTTP("", headers=headers, timeout=timeout)
    url = urljoin(api_url, check.path(credentials))
    try:
        with account_check():
            if check.form is not None:
                answer = http.post_form(url, check.form)
            elif check.body is not None:
                answer = http.post_json(url, check.body(credentials))
            else:
                answer = http.get(url)
            shown = check.judge(check.title, answer)
            if shown is None:
                code = str(answer.fields.get("name", ""))
                raise failure_of(answer, code, permanent=_PERMANENT, temporary={})
        return shown
    finally:
        http.close()


def _basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def _resend(title: str, answer: Answer) -> str | None:
    """https://resend.com/docs/api-reference/errors: only a key that is known can be restricted."""
    if answer.status == 401 and answer.fields.get("name") == "restricted_api_key":
        return _SENDS.format(title)
    return _ACCEPTED.format(title) if answer.status == 200 and answer.fields else None


def _mailgun(title: str, answer: Answer) -> str | None:
    """It misses a recipient: who has come so far was let in, and the domain is theirs."""
    missed = answer.status == 400 and isinstance(answer.fields.get("message"), str)
    return _ACCEPTED.format(title) if missed else None


def _sparkpost(title: str, answer: Answer) -> str | None:
    """Raises CannotVerify for a key that is known and may not look at the account."""
    if answer.status == 403:
        raise CannotVerify(
            "SparkPost knows the key, which may not read the account: whether it may send shows "
            "only in sending. Grant it Account: Read to verify the account."
        )
    return _ACCEPTED.format(title) if answer.status == 200 and answer.fields else None


CHECKS: Mapping[str, Check] = {
    # https://developers.brevo.com/reference/get-account
    "brevo": Check("Brevo", lambda _: "account", lambda own: {"api-key": own["api_key"]}),
    # https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages: a domain's
    # sending key may call this and nothing else. Without a recipient nothing can be sent.
    "mailgun": Check(
        "Mailgun",
        lambda own: f"{quote(own['sender_domain'], safe='')}/messages",
        lambda own: _basic("api", own["api_key"]),
        form={"o:testmode": "yes"},
        judge=_mailgun,
    ),
    # https://dev.mailjet.com/email/reference/sender-addresses-and-domains/sender/: the API for
    # looking has another version than the one for sending.
    "mailjet": Check(
        "Mailjet",
        lambda _: "../v3/REST/sender?Limit=1",
        lambda own: _basic(own["api_key"], own["secret_key"]),
    ),
    # https://mailchimp.com/developer/transactional/api/users/ping-2/
    "mandrill": Check(
        "Mandrill",
        lambda _: "users/ping2.json",
        lambda _: {},
        body=lambda own: {"key": own["api_key"]},
    ),
    # https://postmarkapp.com/developer/api/server-api#get-server: the answer has tokens in it.
    "postmark": Check(
        "Postmark",
        lambda _: "server",
        lambda own: {"X-Postmark-Server-Token": own["server_token"]},
    ),
    # https://resend.com/docs/api-reference/domains/list-domains
    "resend": Check(
        "Resend",
        lambda _: "domains",
        lambda own: {"Authorization": f"Bearer {own['api_key']}"},
        judge=_resend,
    ),
    # https://developers.sparkpost.com/api/account/
    "sparkpost": Check(
        "SparkPost",
        lambda _: "account",
        lambda own: {"Authorization": own["api_key"]},
        judge=_sparkpost,
    ),
}
