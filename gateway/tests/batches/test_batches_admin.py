"""The admin's pages of batches: to look at, without what clients were told."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from gateway.tests.batches.requests import accepted, inline, to
from gateway.tests.conftest import Tenant
from gateway.tests.factories import make_batch

pytestmark = [pytest.mark.integration]

BATCHES = "/admin/batches/batch/"


@pytest.fixture
def admin(committed_tenant: Tenant) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_the_pages_open(admin: Client, committed_tenant: Tenant) -> None:
    data = accepted(committed_tenant, inline(*to("a"), {"user_id": "canary"}, request_id="r"))
    for path in (
        BATCHES,
        f"{BATCHES}{data['batch_id']}/change/",
        f"{BATCHES}?q={data['batch_id']}",
    ):
        page = admin.get(path)
        assert page.status_code == 200, path
        assert data["batch_id"] in page.content.decode()
        assert "canary" not in page.content.decode()
    page = admin.get(f"{BATCHES}{data['batch_id']}/change/")
    assert "pending: 1 accepted" in page.content.decode()
    assert "/change/" in admin.get(f"{BATCHES}?q=r").content.decode()
    assert "/change/" not in admin.get(f"{BATCHES}?q=nothing").content.decode()


def test_nothing_is_added_or_deleted_there(admin: Client, committed_tenant: Tenant) -> None:
    batch = make_batch(committed_tenant.organization)
    assert admin.get(f"{BATCHES}add/").status_code == 403
    assert admin.get(f"{BATCHES}{batch.pk}/delete/").status_code == 403


def test_a_list_costs_the_same_for_one_and_for_many(
    admin: Client, committed_tenant: Tenant
) -> None:
    make_batch(committed_tenant.organization)
    with CaptureQueriesContext(connection) as one:
        admin.get(BATCHES)
    for _ in range(20):
        make_batch(committed_tenant.organization)
    with CaptureQueriesContext(connection) as many:
        admin.get(BATCHES)
    assert len(one) == len(many)
