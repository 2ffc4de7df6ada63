"""Limits per client address, for the calls that need no key: who calls is known by nothing else."""

import hashlib
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest

from gateway.admission.limits import MICROSECONDS, LimitState, ProcessLimits
from gateway.admission.scripts import RedisDown, Script, scripts

THROTTLE = Script("gcra", "throttle")

# One customer of a provider has a /64: each of its addresses is the same client.
_SITE = 64

_process_limits = ProcessLimits()


def client_address(request: HttpRequest) -> str:
    """The address that calls, or what stands for its whole site with IPv6.

    Behind a proxy it is the last one of X-Forwarded-For, which the proxy itself added: what
    stands before it anybody can write.
    """
    found: str = request.META.get("REMOTE_ADDR", "")
    if settings.CARILLON.security.behind_proxy:
        forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
        found = forwarded.rpartition(",")[2].strip() or found
    try:
        address = ip_address(found)
    except ValueError:
        return found
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> (128 - _SITE):x}::/{_SITE}"


def count_call(policy: str, request: HttpRequest, *, most: int, seconds: int) -> LimitState:
    """Count this call against `most` in `seconds` of its address; within the process if need be."""
    return count_against(policy, client_address(request), most=most, seconds=seconds)


def count_against(policy: str, whom: str, *, most: int, seconds: int) -> LimitState:
    """The same for whatever else tells callers apart."""
    # Addresses of people do not belong into Redis.
    who = hashlib.sha256(whom.encode()).hexdigest()[:32]
    key = f"carillon:address:{policy}:{who}"
    try:
        reply = scripts().run(THROTTLE, [key], [most, seconds * MICROSECONDS])
    except RedisDown:
        return _process_limits.take(key, policy, most, seconds)
    return LimitState.of_reply(policy, most, seconds, reply)
