"""The two internal services as the gateway sees them, in this process: their contract and no more.

A double keeps records, checks the credentials of every call as the real services do, and writes
the cache when a record is read, because the owner and not the gateway does that.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import redis

from carillon.contracts.records import (
    PolicyRecord,
    SuppressionRecord,
    TemplateRecord,
    UserRecord,
)
from carillon.contracts.suppressions import address_digest
from carillon.record_cache import (
    POLICY,
    policy_cache,
    suppression_cache,
    template_cache,
    user_cache,
)
from carillon.testing.http_server import HTTPServer
from carillon.web.envelope import failure


@dataclass(frozen=True)
class Call:
    """A call as it arrived."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What to answer to calls that are not about records."""

    status: int = 200
    body: bytes = b'{"success":true,"data":{},"message":"","meta":{}}'
    headers: dict[str, str] = field(default_factory=dict)


class ServiceDouble:
    """One of the services; `down` makes it answer 503 to everything."""

    def __init__(self, kind: str, secret: str, client: redis.Redis) -> None:
        self.kind = kind
        self.secret = secret
        self.down = False
        self.reply = Reply()
        self.calls: list[Call] = []
        self.records: dict[tuple[str, str], UserRecord | TemplateRecord] = {}
        self._cache = user_cache(client) if kind == "users" else template_cache(client)
        self._policy_cache = policy_cache(client)
        self._suppression_cache = suppression_cache(client)
        self._policies: dict[str, PolicyRecord] = {}
        self._suppressed: dict[tuple[str, str, str], str] = {}
        self._revision = 0
        self.url = ""

    def add_user(self, organization_id: str, record: UserRecord) -> UserRecord:
        """Known by its id and external id."""
        for identifier in {record.user_id, record.external_id} - {""}:
            self.records[organization_id, identifier] = record
        return record

    def add_template(self, organization_id: str, record: TemplateRecord) -> TemplateRecord:
        """Known by its code."""
        self.records[organization_id, record.code] = record
        return record

    def decide(self, organization_id: str, **fields: Any) -> PolicyRecord:
        """The organization decides anew; the cache is told at once, as after a commit."""
        self._revision += 1
        policy = PolicyRecord(organization_id=organization_id, revision=self._revision, **fields)
        self._policies[organization_id] = policy
        self._policy_cache.write(organization_id, [POLICY], policy)
        return policy

    def suppress(
        self, organization_id: str, channel: str, address: str, reason: str = "hard_bounce"
    ) -> None:
        """Nothing more is to be sent there; an empty reason takes it back. The cache is told."""
        self._suppressed[organization_id, channel, address.lower()] = reason
        self._suppression(organization_id, channel, address)

    def record_calls(self) -> list[Call]:
        """The calls that looked a record up."""
        return [call for call in self.calls if call.path.startswith(f"/internal/{self.kind}/")]

    def answer(self, call: Call) -> Reply:
        """What the service says."""
        self.calls.append(call)
        if self.down:
            return Reply(503, json.dumps(failure("service_unavailable", "down")).encode())
        if call.path == "/health/ready/":
            return Reply(200, b"{}")
        if call.headers.get("x-internal-secret") != self.secret:
            return Reply(401, json.dumps(failure("authentication_required", "")).encode())
        if call.path == "/internal/users/batch/":
            return self._batch(call)
        if call.path == "/internal/policy/":
            return self._policy(call)
        if call.path == "/internal/suppressions/check/":
            return self._check(call)
        prefix = f"/internal/{self.kind}/"
        if not call.path.startswith(prefix):
            return self.reply
        organization_id = call.headers["x-organization-id"]
        identifier = unquote(call.path.removeprefix(prefix).rstrip("/"))
        record = self.records.get((organization_id, identifier))
        if record is None:
            return Reply(404, json.dumps(failure("not_found", "")).encode())
        self._cache.write(organization_id, [identifier], record)  # type: ignore[arg-type]
        return Reply(200, msgspec.json.encode(record))

    def _policy(self, call: Call) -> Reply:
        organization_id = call.headers["x-organization-id"]
        policy = self._policies.get(organization_id)
        policy = policy or PolicyRecord(organization_id=organization_id, revision=0)
        self._policy_cache.write(organization_id, [POLICY], policy)
        return Reply(200, msgspec.json.encode(policy))

    def _check(self, call: Call) -> Reply:
        organization_id, asked = call.headers["x-organization-id"], json.loads(call.body)
        channel, addresses = asked["channel"], asked["addresses"]
        assert channel != "push"
        assert 1 <= len(addresses) <= 1_000
        reasons = {each: self._suppression(organization_id, channel, each) for each in addresses}
        suppressed = {address: reason for address, reason in reasons.items() if reason}
        return Reply(200, msgspec.json.encode({"suppressed": suppressed}))

    def _suppression(self, organization_id: str, channel: str, address: str) -> str:
        self._revision += 1
        reason = self._suppressed.get((organization_id, channel, address.lower()), "")
        digest = address_digest(organization_id, channel, address).hex()
        record = SuppressionRecord(revision=self._revision, reason=reason)
        self._suppression_cache.write(organization_id, [digest], record)
        return reason

    def _batch(self, call: Call) -> Reply:
        """Many users at once; the cache is left alone."""
        organization_id = call.headers["x-organization-id"]
        asked = {id_: self.records.get((organization_id, id_)) for id_ in _user_ids(call.body)}
        known = [record for record in asked.values() if record is not None]
        missing = [id_ for id_, record in asked.items() if record is None]
        return Reply(200, msgspec.json.encode({"users": known, "not_found": missing}))


def _user_ids(body: bytes) -> list[str]:
    user_ids: list[str] = json.loads(body)["user_ids"]
    assert 1 <= len(user_ids) <= 1_000
    return user_ids


@contextmanager
def serving(double: ServiceDouble) -> Iterator[ServiceDouble]:
    """`double` at its `url` on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Two small writes wait for each other's acknowledgement otherwise.
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            reply = double.answer(
                Call(
                    self.command,
                    parts.path,
                    parts.query,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
            )
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_args: object) -> None:
            """Tests read answers, not logs."""

    server = HTTPServer(Handler)
    server.begin()
    double.url = server.url
    try:
        yield double
    finally:
        server.end()
