"""Templates go out to files and come back as they were."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from template_service.templates.models import Template, TemplateVersion
from template_service.tests.calls import Author


def run(action: str, folder: Path, author: Author, *options: str) -> str:
    """The command's output."""
    output = StringIO()
    arguments = [action, str(folder), "--organization", author.organization_id, *options]
    call_command("templates", *arguments, stdout=output, stderr=output)
    return output.getvalue()


@pytest.fixture
def several(author: Author) -> Author:
    """Templates with languages, drafts, odd line breaks."""
    author.create(
        description="Two\nlines",
        category="marketing",
        sample_data={"name": "Zoë", "b": [1.5, None]},
    )
    author.change(language="pt-BR", subject="Olá: {{ name }}", html_content="", content="\n a \r\n")
    author.act("publish")
    author.change(content="A draft {{ name }}")
    author.create(
        code="otp",
        type="sms",
        subject="",
        html_content="",
        delivery="at_most_once",
        status="draft",
        expect_receipt_within=90,
        track_opens=True,
    )
    author.create(code="gone")
    author.call("DELETE", "/api/v1/templates/gone/")
    return author


def test_the_files_read_well(several: Author, tmp_path: Path) -> None:
    run("export", tmp_path, several)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert found == {
        *("otp/template.txt", "otp/en.txt", "welcome/template.txt", "welcome/en.txt"),
        *("welcome/en.html", "welcome/pt-BR.txt", "welcome/sample.json"),
    }
    assert (tmp_path / "welcome/template.txt").read_text() == (
        "---\nname: Welcome\ntype: email\ncategory: marketing\ndelivery: at_least_once\n"
        "default_language: en\n---\nTwo\nlines\n"
    )
    assert (tmp_path / "welcome/en.txt").read_text() == (
        "---\nstatus: active\nsubject: Welcome, {{ name }}!\nvariables: name\n---\nHi {{ name }}\n"
    )


def test_importing_what_was_exported_changes_nothing(several: Author, tmp_path: Path) -> None:
    run("export", tmp_path, several)
    before = list(TemplateVersion.objects.order_by("pk").values())
    assert "0 templates changed, 2 are as" in run("import", tmp_path, several)
    assert list(TemplateVersion.objects.order_by("pk").values()) == before


def test_another_organization_gets_the_same(
    several: Author, stranger: Author, tmp_path: Path
) -> None:
    run("export", tmp_path / "a", several)
    assert "2 templates changed" in run("import", tmp_path / "a", stranger)
    assert "0 templates changed, 2" in run("import", tmp_path / "a", stranger)
    run("export", tmp_path / "b", stranger)
    files = {path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*")}
    assert len(files) == 7
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_what_differs_becomes_a_version_once(several: Author, tmp_path: Path) -> None:
    run("export", tmp_path, several)
    page = tmp_path / "welcome/en.html"
    page.write_text("<p>Hello {{ name }}</p>\n")
    facts = tmp_path / "welcome/template.txt"
    facts.write_text(facts.read_text().replace("name: Welcome", "name: Greeting"))
    said = run("import", tmp_path, several)
    assert "welcome: changed name; en: version 4, published" in said
    shown = several.get()
    assert (shown["name"], shown["html_content"]) == ("Greeting", "<p>Hello {{ name }}</p>")
    assert "0 templates changed" in run("import", tmp_path, several)


def test_a_dry_run_does_nothing(several: Author, stranger: Author, tmp_path: Path) -> None:
    run("export", tmp_path / "none", several, "--dry-run")
    assert not (tmp_path / "none").exists()
    run("export", tmp_path, several)
    said = run("import", tmp_path, stranger, "--dry-run")
    assert "2 templates would change" in said
    assert not Template.objects.filter(organization_id=stranger.organization_id).exists()


def test_files_of_languages_that_are_no_more_go(several: Author, tmp_path: Path) -> None:
    run("export", tmp_path, several)
    (tmp_path / "welcome/fr.txt").write_text("---\n---\nx\n")
    (tmp_path / "welcome/notes.md").write_text("kept")
    run("export", tmp_path, several)
    assert not (tmp_path / "welcome/fr.txt").exists()
    assert (tmp_path / "welcome/notes.md").exists()


def test_a_refused_template_stays_as_it_was_and_the_others_go_on(
    several: Author, stranger: Author, tmp_path: Path
) -> None:
    run("export", tmp_path, several)
    (tmp_path / "welcome/pt-BR.txt").write_text("---\nstatus: active\nsubject: s\n---\n{{ nme }}\n")
    output = StringIO()
    arguments = ["import", str(tmp_path), "--organization", stranger.organization_id]
    with pytest.raises(CommandError, match="1 templates were refused"):
        call_command("templates", *arguments, stdout=output, stderr=output)
    assert "welcome: This version cannot be published." in output.getvalue()
    assert "line 1, column 4: nme" in output.getvalue()
    codes = Template.objects.filter(organization_id=stranger.organization_id).values_list("code")
    assert list(codes) == [("otp",)]


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("x/en.txt", "---\n---\n", "there is no template.txt"),
        ("x/template.txt", "name: x\n", "between two lines"),
        ("x/template.txt", "---\nname: x\n", "between two lines"),
        ("x/template.txt", "---\nname: x\nname: y\n---\n", "each once"),
        ("x/template.txt", "---\nowner: x\n---\n", "is none of"),
        ("welcome/sample.json", "[]", "expected an object"),
        ("welcome/sample.json", "{", "sample.json"),
        ("welcome/en.pdf", "x", "expected .txt, .html and .mjml"),
        ("welcome/fr.html", "x", "there is no fr.txt"),
        ("welcome/en.txt", b"---\n---\n\xff", "expected UTF-8"),
        ("welcome/en.txt", "---\nstatus: gone\n---\nx", "refused"),
        ("-x/template.txt", "---\nname: x\ntype: sms\n---\n", "refused"),
        ("x/template.txt", "---\nname: x\ntype: pigeon\n---\n", "refused"),
    ],
)
def test_what_cannot_be_read_is_named(
    author: Author, tmp_path: Path, path: str, text: str | bytes, reason: str
) -> None:
    author.create()
    run("export", tmp_path, author)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CommandError, match=reason):
        run("import", tmp_path, author)
    assert Template.objects.count() == 1


def test_an_organization_that_is_not_known_is_refused(author: Author, tmp_path: Path) -> None:
    for wrong in ("acme", "org_0193f2c6a7b87d1e9c0a5b4d3e2f1a03"):
        with pytest.raises(CommandError, match="organization"):
            call_command("templates", "export", str(tmp_path), "--organization", wrong)


def test_layouts_come_in_before_what_has_them_in_it(
    author: Author, stranger: Author, tmp_path: Path
) -> None:
    author.create(
        code="_z",
        content="z {% block a %}{% endblock %}",
        subject="",
        html_content="",
        variables=[],
    )
    author.create(
        code="_a", content="{% include '_z' %}", subject="", html_content="", variables=[]
    )
    body = "{% extends '_z' %}{% block a %}{{ name }} {% include '_a' %}{% endblock %}"
    author.create(code="Big", content=body.replace("{% include '_a' %}", ""), html_content="")
    run("export", tmp_path, author)
    assert "3 templates would change" in run("import", tmp_path, stranger, "--dry-run")
    assert stranger.record("Big") is None
    assert "3 templates changed" in run("import", tmp_path, stranger)
    assert "0 templates changed, 3 are" in run("import", tmp_path, stranger)


def test_importing_a_changed_part_publishes_what_has_it_anew(
    author: Author, tmp_path: Path
) -> None:
    author.create(code="_footer", content="Bye", subject="", html_content="", variables=[])
    author.create(content="Hi {{ name }}{% include '_footer' %}", html_content="")
    run("export", tmp_path, author)
    footer = tmp_path / "_footer/en.txt"
    footer.write_text(footer.read_text().replace("Bye", "Ciao"))
    told = run("import", tmp_path, author)
    assert "welcome: en: version 2, published with a new _footer" in told
    record = author.record()
    assert record is not None
    assert record["languages"]["en"]["content"] == "Hi {{ name }}Ciao"
    assert "0 templates changed, 2 are" in run("import", tmp_path, author)


def test_switches_come_back_as_they_were_and_go_with_their_line(
    several: Author, tmp_path: Path
) -> None:
    run("export", tmp_path, several)
    facts = tmp_path / "otp/template.txt"
    text = facts.read_text()
    assert "\ntrack_opens: true\nexpect_receipt_within: 90\n---" in text
    Template.objects.filter(code="otp").update(track_opens=False, expect_receipt_within=0)
    run("import", tmp_path, several)
    otp = Template.objects.get(code="otp")
    assert (otp.track_opens, otp.track_clicks, otp.expect_receipt_within) == (True, False, 90)
    facts.write_text(text.replace("track_opens: true\n", ""))
    run("import", tmp_path, several)
    otp.refresh_from_db()
    assert (otp.track_opens, otp.expect_receipt_within) == (False, 90)
