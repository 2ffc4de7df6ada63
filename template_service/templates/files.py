"""Templates as files that read well in git.

    welcome/template.txt   what holds in every language; its text is the description
    welcome/sample.json    the sample_data, where there is any
    welcome/en.txt         subject and variables; its text is the content
    welcome/en.html        the html_content, where there is any
    welcome/en.mjml        or the mjml

A `.txt` begins with `key: value` lines between two lines of `---`; fallback, push and
provider_template are JSON there. Every file ends with one line break more than the text that it
holds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from carillon.web import strict_json

TEMPLATE_FILE = "template.txt"
SAMPLE_FILE = "sample.json"
FENCE = "---"
MARKUP = {"html": "html_content", "mjml": "mjml"}
FACTS = (
    *("name", "type", "category", "delivery", "default_language"),
    *("track_opens", "track_clicks", "expect_receipt_within", "fallback", "push"),
)
WORDS = ("status", "subject", "variables", "optional_variables", "provider_template")
LISTS = frozenset({"variables", "optional_variables"})


class UnreadableFile(ValueError):
    """A file that is not of this form; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class LanguageFiles:
    """What a language's files say: fields of a request's body, and whether it is published."""

    language: str
    status: str
    words: dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class TemplateFiles:
    """One template's folder."""

    code: str
    facts: dict[str, str]
    sample_data: dict[str, Any] = field(default_factory=dict)
    languages: list[LanguageFiles] = field(default_factory=list)


def read_templates(folder: Path) -> list[TemplateFiles]:
    """By code; hidden folders and files beside the folders are passed over.

    Raises UnreadableFile, OSError.
    """
    folders = sorted(path for path in folder.iterdir() if path.is_dir())
    return [_read_template(path) for path in folders if not path.name.startswith(".")]


def write_template(folder: Path, template: TemplateFiles) -> None:
    """Into a folder of its own; files of languages that are no more are removed from it."""
    own = folder / template.code
    own.mkdir(parents=True, exist_ok=True)
    facts = {key: template.facts[key] for key in FACTS}
    written = {TEMPLATE_FILE: _with_matter(facts, template.facts["description"])}
    if template.sample_data:
        sample = json.dumps(template.sample_data, indent=2, sort_keys=True, ensure_ascii=False)
        written[SAMPLE_FILE] = f"{sample}\n"
    for found in template.languages:
        matter = {"status": found.status, **{key: found.words[key] for key in WORDS[1:]}}
        text = found.words["content"]
        written[f"{found.language}.txt"] = _with_matter(matter, str(text))
        for suffix, word in MARKUP.items():
            if found.words[word]:
                written[f"{found.language}.{suffix}"] = f"{found.words[word]}\n"
    for name, text in written.items():
        (own / name).write_text(text, encoding="utf-8", newline="")
    for path in own.iterdir():
        if path.suffix in {".txt", ".html", ".mjml", ".json"} and path.name not in written:
            path.unlink()


def _read_template(folder: Path) -> TemplateFiles:
    if not (folder / TEMPLATE_FILE).is_file():
        raise UnreadableFile(f"{folder.name}: there is no {TEMPLATE_FILE}.")
    facts, description = _read_matter(folder / TEMPLATE_FILE, FACTS)
    sample = _read_sample(folder / SAMPLE_FILE)
    found = TemplateFiles(folder.name, {**facts, "description": description}, sample)
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    for name in sorted(names - {TEMPLATE_FILE, SAMPLE_FILE}):
        language, dot, suffix = name.rpartition(".")
        if not dot or suffix not in {"txt", *MARKUP}:
            raise UnreadableFile(f"{folder.name}/{name}: expected .txt, .html and .mjml files.")
        if suffix == "txt":
            found.languages.append(_read_language(folder, language))
        elif f"{language}.txt" not in names:
            raise UnreadableFile(f"{folder.name}/{name}: there is no {language}.txt beside it.")
    return found


def _read_sample(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = strict_json.loads(_read(path).encode())
    except strict_json.InvalidJSONText as error:
        raise UnreadableFile(f"{path.parent.name}/{path.name}: {error}.") from None
    if not isinstance(found, dict):
        raise UnreadableFile(f"{path.parent.name}/{path.name}: expected an object.")
    return found


def _read_language(folder: Path, language: str) -> LanguageFiles:
    matter, content = _read_matter(folder / f"{language}.txt", WORDS)
    words: dict[str, str | list[str]] = {
        "subject": matter.get("subject", ""),
        "content": content,
        "provider_template": matter.get("provider_template", ""),
    }
    for suffix, word in MARKUP.items():
        page = folder / f"{language}.{suffix}"
        words[word] = _text(_read(page)) if page.is_file() else ""
    for key in LISTS:
        words[key] = [name.strip() for name in matter.get(key, "").split(",") if name.strip()]
    return LanguageFiles(language, matter.get("status", "draft"), words)


def _read_matter(path: Path, known: tuple[str, ...]) -> tuple[dict[str, str], str]:
    place = f"{path.parent.name}/{path.name}"
    opening, _, rest = _read(path).partition("\n")
    head, closing, text = f"\n{rest}".partition(f"\n{FENCE}\n")
    if opening != FENCE or not closing:
        raise UnreadableFile(f"{place}: expected key: value lines between two lines of {FENCE}.")
    matter: dict[str, str] = {}
    for line in head.split("\n")[1:]:
        key, colon, value = line.partition(":")
        if not colon or key not in known or key in matter:
            names = ", ".join(known)
            raise UnreadableFile(f"{place}: {line[:60]!r} is none of {names}, each once.")
        matter[key] = value.removeprefix(" ")
    return matter, _text(text)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise UnreadableFile(f"{path.parent.name}/{path.name}: expected UTF-8.") from None


def _text(text: str) -> str:
    return text.removesuffix("\n")


def _with_matter(matter: Mapping[str, str | list[str]], text: str) -> str:
    lines = [FENCE]
    for key, value in matter.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        if shown:
            lines.append(f"{key}: {shown}")
    return "\n".join([*lines, FENCE, text, ""])
