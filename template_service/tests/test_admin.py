"""The admin shows templates and their versions, and changes none."""

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from template_service.templates.models import Template, TemplateVersion
from template_service.tests.calls import Author

PAGES = f"/{settings.CARILLON.security.admin_path.strip('/')}/templates"


@pytest.fixture
def house(author: Author) -> Author:
    """A template with a partial in it, and a draft."""
    ann = author.acting({"id": "key_1", "name": "Ann's laptop"})
    ann.create(code="_line", subject="", html_content="", content="<-- {{ name }} -->")
    ann.create(html_content="", content="A\n\n<b>{% include '_line' %}")
    ann.change(subject="Draft {{ name }}")
    return author


def test_a_version_is_shown_as_written_and_as_sent(house: Author, admin_client: Client) -> None:
    version = TemplateVersion.objects.get(template__code="welcome", status="active")
    page = admin_client.get(f"{PAGES}/templateversion/{version.pk}/change/").content.decode()
    assert "&lt;b&gt;{% include &#x27;_line&#x27; %}</pre>" in page
    assert "&lt;b&gt;&lt;-- {{ name }} --&gt;</pre>" in page
    assert "_line 1 (en)" in page
    assert "Ann&#x27;s laptop (key_1)" in page
    assert "<b>" not in page.split("As it was written")[1].split("</pre>")[0]


def test_pages_are_shown_with_few_queries(
    house: Author, admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    template = Template.objects.get(code="welcome")
    for path in ("template/", f"template/{template.pk}/change/", "templateversion/"):
        with django_assert_max_num_queries(10):
            page = admin_client.get(f"{PAGES}/{path}")
        assert page.status_code == 200
        assert b"welcome" in page.content


def test_nothing_is_changed_here(house: Author, admin_client: Client) -> None:
    template = Template.objects.get(code="welcome")
    assert admin_client.get(f"{PAGES}/template/add/").status_code == 403
    for action in ("change", "delete"):
        answer = admin_client.post(f"{PAGES}/template/{template.pk}/{action}/", {"code": "x"})
        assert answer.status_code == 403
