"""Client apps under stress: each request is repeated, with its request_id, until it is answered."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.end_to_end.stack import VARIABLES, Tenant

CLIENTS = 8
GIVE_UP_SECONDS = 180.0
PAUSE_SECONDS = 0.2


class Load:
    """Sends `count` notifications over several connections, at most `rate` a second in all.

    `ids` maps each request_id to the notification that a 2xx promised; `statuses` counts every
    answer, 0 for none.
    """

    def __init__(self, tenant: Tenant, user_id: str, code: str, *, count: int, rate: float) -> None:
        self._tenant = tenant
        self._user_id = user_id
        self._code = code
        self._count = count
        self._interval = 1 / rate
        self._lock = threading.Lock()
        self._begun = 0.0
        self.ids: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)

    def start(self) -> None:
        """Begin, in the background."""
        self._begun = time.monotonic()
        self._thread.start()

    def wait_until_sent(self, count: int, timeout: float = GIVE_UP_SECONDS) -> None:
        """Until that many were promised, so that a fault strikes in the middle of the work."""
        deadline = time.monotonic() + timeout
        while len(self.ids) < count and self._thread.is_alive():
            assert time.monotonic() < deadline, f"{len(self.ids)} of {count} were accepted"
            time.sleep(0.005)

    def finish(self) -> None:
        """Until every request was answered with a 2xx; fails if one never was."""
        self._thread.join(GIVE_UP_SECONDS + 60)
        assert len(self.ids) == self._count, f"{self._count - len(self.ids)} were never accepted"

    def _run(self) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            for client in range(CLIENTS):
                pool.submit(self._client, range(client, self._count, CLIENTS))

    def _client(self, numbers: range) -> None:
        with requests.Session() as session:
            for number in numbers:
                due = self._begun + number * self._interval
                time.sleep(max(0.0, due - time.monotonic()))
                self._send(session, f"{self._code}-{number}")

    def _send(self, session: requests.Session, request_id: str) -> None:
        body = {
            "notification_type": "email",
            "user_id": self._user_id,
            "template_code": self._code,
            "variables": VARIABLES,
            "request_id": request_id,
        }
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = session.post(
                    self._tenant.stack.url("gateway", "/api/v1/notifications/"),
                    json=body,
                    headers={"X-API-Key": self._tenant.key},
                    timeout=30,
                )
                status = answer.status_code
            except requests.RequestException:
                status = 0
            with self._lock:
                self.statuses[status] += 1
                if status in {200, 202}:
                    self.ids[request_id] = answer.json()["data"]["notification_id"]
                    return
            time.sleep(PAUSE_SECONDS)
