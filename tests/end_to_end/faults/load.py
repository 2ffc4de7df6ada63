"""Client apps under stress: each request is repeated, with its request_id, until it is answered."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from carillon.testing.proxy import TCPProxy
from tests.end_to_end.stack import VARIABLES, Tenant

# Seconds.
GIVE_UP = 180.0
PAUSE = 0.2
REQUEST_TIMEOUT = 30.0
HOLD_POLL = 0.1

# The share of the orders that is kept back until the faults have struck.
KEPT_BACK = 0.05

ACCEPTED = 202
REPLAYED = 200
NO_ANSWER = 0


@dataclass(frozen=True)
class Order:
    """What a client app asks for; `body` beyond what every request has."""

    request_id: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """When a request was sent, by the monotonic clock, and its answer; status 0 for none."""

    at: float
    seconds: float
    status: int


class Load:
    """Sends orders over several connections, at most `rate` a second in all.

    An order ends with a 2xx, or with a status in `final`. `ids` holds, for each request_id, every
    notification that was ever named in a 2xx; `accepted` counts its 202s.

    The last orders are kept back until somebody waits for them or for all: whoever strikes in the
    middle of the work may be slow, and the clients quick.
    """

    def __init__(
        self,
        tenant: Tenant,
        user_id: str,
        orders: Sequence[Order],
        *,
        rate: float,
        clients: int,
        final: frozenset[int],
        stopped: Callable[[], bool],
    ) -> None:
        self._user_id = user_id
        self.orders = orders
        self.rate = rate
        self._clients = clients
        self._final = final
        self._stopped = stopped
        self._gateway = tenant.stack.platform.url("gateway")
        self._headers = {"X-API-Key": tenant.key}
        self._lock = threading.Lock()
        self.begun = 0.0
        self._taken = 0
        self._done = 0
        self._free = len(orders) - max(1, int(len(orders) * KEPT_BACK))
        self._all_free = threading.Event()
        self._enough = threading.Event()
        self._sending: list[Future[None]] = []
        self.ids: defaultdict[str, set[str]] = defaultdict(set)
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.answers: list[Answer] = []
        self._pool = ThreadPoolExecutor(clients, thread_name_prefix="client")

    @property
    def promised(self) -> set[str]:
        """Every notification that a client was told of."""
        return set().union(*self.ids.values())

    @property
    def done_share(self) -> float:
        """How much of the load has ended."""
        return self._done / len(self.orders)

    def start(self) -> None:
        """Begin, in the background."""
        self.begun = time.monotonic()
        self._sending = [
            self._pool.submit(self._client, range(client, len(self.orders), self._clients))
            for client in range(self._clients)
        ]

    def go_through(self, proxy: TCPProxy) -> None:
        """From now on, as by way of a load balancer: each request on a connection of its own."""
        self._headers = {**self._headers, "Connection": "close"}
        self._gateway = f"http://127.0.0.1:{proxy.port}"

    def wait_until_done(self, share: float) -> None:
        """Until that share of the orders has ended."""
        goal = int(share * len(self.orders))
        if goal > self._free:
            self.let_all_go()
        deadline = time.monotonic() + GIVE_UP
        while self._done < goal and not all(each.done() for each in self._sending):
            if self._stopped() or time.monotonic() > deadline:
                return
            time.sleep(0.005)

    def let_all_go(self) -> None:
        """Keep nothing back any more."""
        self._all_free.set()

    def enough(self) -> None:
        """Nobody sends what has not been sent yet."""
        self._enough.set()

    def finish(self) -> int:
        """Wait until every order has ended or was given up; how many were given up."""
        self.let_all_go()
        self._pool.shutdown()
        for each in self._sending:
            each.result()
        return self._taken - self._done

    def statuses(self) -> Counter[int]:
        """How often each status was answered."""
        return Counter(answer.status for answer in self.answers)

    def p99(self, begin: float, end: float) -> float:
        """Seconds within which 99% of the requests sent in that time were answered."""
        took = sorted(each.seconds for each in self.answers if begin <= each.at < end)
        return took[min(len(took) - 1, int(len(took) * 0.99))] if took else 0.0

    def answered(self, begin: float, end: float) -> int:
        """How many requests were both sent and accepted in that time."""
        return sum(
            begin <= each.at and each.at + each.seconds < end and each.status == ACCEPTED
            for each in self.answers
        )

    def _client(self, numbers: range) -> None:
        with requests.Session() as session:
            for number in numbers:
                due = self.begun + number / self.rate
                self._enough.wait(max(0.0, due - time.monotonic()))
                if number >= self._free:
                    self._wait_until_free()
                if self._enough.is_set() or self._stopped():
                    return
                with self._lock:
                    self._taken += 1
                self._place(session, self.orders[number])

    def _wait_until_free(self) -> None:
        while not (self._all_free.wait(HOLD_POLL) or self._enough.is_set() or self._stopped()):
            pass

    def _place(self, session: requests.Session, order: Order) -> None:
        body = {
            "notification_type": "email",
            **({} if "to" in order.body else {"user_id": self._user_id}),
            "variables": VARIABLES,
            "request_id": order.request_id,
            **order.body,
        }
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline and not self._stopped():
            if self._try(session, order.request_id, body):
                return
            time.sleep(PAUSE)

    def _try(self, session: requests.Session, request_id: str, body: dict[str, Any]) -> bool:
        """Whether the order has ended."""
        at = time.monotonic()
        notification_id = ""
        try:
            answer = session.post(
                f"{self._gateway}/api/v1/notifications/",
                json=body,
                headers=self._headers,
                timeout=REQUEST_TIMEOUT,
            )
            status = answer.status_code
            if status in {ACCEPTED, REPLAYED}:
                notification_id = answer.json()["data"]["notification_id"]
        except requests.RequestException:
            # Also an answer that was cut off: whatever it said, the client has not heard it.
            status = NO_ANSWER
        with self._lock:
            self.answers.append(Answer(at, time.monotonic() - at, status))
            if notification_id:
                self.ids[request_id].add(notification_id)
                self.accepted[request_id] += status == ACCEPTED
            ended = bool(notification_id) or status in self._final
            self.refused[request_id] += ended and not notification_id
            self._done += ended
        return ended
