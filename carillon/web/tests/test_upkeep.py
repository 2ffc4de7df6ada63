"""A thread's database connection, from one request to the next."""

import pytest
from django.core.signals import request_finished, request_started
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse

from carillon.web.middleware import RequestMiddleware


def answered() -> HttpResponse:
    return RequestMiddleware(lambda _request: HttpResponse())(HttpRequest())


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_an_earlier_request_left_broken_is_replaced() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (first,) = cursor.fetchone()
        with pytest.raises(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    answered()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (first,)


@pytest.mark.django_db(transaction=True)
def test_a_sound_connection_is_kept() -> None:
    connection.ensure_connection()
    kept = connection.connection
    answered()
    assert connection.connection is kept


@pytest.mark.django_db
def test_a_transaction_that_was_begun_before_is_left_alone() -> None:
    kept = connection.connection
    answered()
    assert connection.connection is kept


def test_nothing_else_happens_around_a_request() -> None:
    RequestMiddleware(lambda _request: HttpResponse())
    assert request_started.receivers == []
    assert request_finished.receivers == []
