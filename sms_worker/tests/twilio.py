"""A double of Twilio's Messages and Accounts resources, as its documentation shows the answers.

https://www.twilio.com/docs/messaging/api/message-resource
https://www.twilio.com/docs/iam/api/account
https://www.twilio.com/docs/usage/twilios-response#exceptions
"""

import base64
import itertools
from datetime import UTC, datetime
from email.utils import format_datetime

from carillon.testing.http_double import Reply, Request
from sms_worker.providers.twilio import TwilioAccount

SID = "AC0123456789abcdef0123456789abcdef"
TOKEN = "canary-auth-token"
PATH = f"/2010-04-01/Accounts/{SID}/Messages.json"
ACCOUNT_PATH = f"/2010-04-01/Accounts/{SID}.json"

_AUTHORIZATION = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
_serial = itertools.count(1)


def account(url: str, *, token: str = TOKEN, callback: str = "", timeout: float) -> TwilioAccount:
    return TwilioAccount(url, SID, token, callback, timeout)


def messages(request: Request) -> Reply:
    """Answers as the Messages resource does."""
    if request.headers.get("Authorization") != _AUTHORIZATION:
        return refusal(401, 20003, "Authenticate")
    if (request.method, request.path) == ("GET", ACCOUNT_PATH):
        return account_shown()
    if request.path != PATH:
        return refusal(404, 20404, f"The requested resource {request.path} was not found")
    form = request.form
    if "To" not in form:
        return refusal(400, 21604, "A 'To' phone number is required.")
    if not {"From", "MessagingServiceSid"} & form.keys():
        return refusal(400, 21603, "A 'From' phone number is required.")
    if not {"Body", "ContentSid"} & form.keys():
        return refusal(400, 21619, "A text message body or media urls must be specified.")
    return created(form)


def account_shown(status: str = "active") -> Reply:
    """The answer to who looks at the account: the token is in it."""
    now = format_datetime(datetime.now(UTC))
    account = {
        "auth_token": TOKEN,
        "date_created": now,
        "date_updated": now,
        "friendly_name": "Acme",
        "owner_account_sid": SID,
        "sid": SID,
        "status": status,
        "subresource_uris": {"messages": PATH},
        "type": "Full",
        "uri": ACCOUNT_PATH,
    }
    return Reply(200, account)


def created(form: dict[str, str], status: str = "queued", error_code: int | None = None) -> Reply:
    sid = f"SM{next(_serial):032x}"
    now = format_datetime(datetime.now(UTC))
    service = form.get("MessagingServiceSid")
    message = {
        "account_sid": SID,
        "api_version": "2010-04-01",
        "body": form.get("Body", ""),
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": error_code,
        "error_message": None,
        "from": form.get("From"),
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "0" if service else "1",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "accepted" if service else status,
        "subresource_uris": {"media": f"{PATH.removesuffix('.json')}/{sid}/Media.json"},
        "to": form.get("To"),
        "uri": f"{PATH.removesuffix('.json')}/{sid}.json",
    }
    return Reply(201, message, took=error_code is None)


def refusal(status: int, code: int, message: str = "", wait: str = "") -> Reply:
    """Twilio's messages repeat the number: so do these."""
    return Reply(
        status,
        {
            "code": code,
            "message": message or "The number +447700900987 is not reachable: canary-otp-918273",
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        {"Retry-After": wait} if wait else {},
    )
