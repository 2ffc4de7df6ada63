"""Makes what is sent of what an author wrote, once, when a version is published.

Sending then stays what it was: one compiled text per field, and no HTML to read.
"""

from carillon.contracts.channels import CHANNELS, ContentKind
from carillon.rendering.inlining import inline_css
from carillon.rendering.lexer import SourceError
from carillon.rendering.limits import SOURCE_MOST
from carillon.rendering.plain_text import text_from_html
from template_service.templates.models import Template, TemplateVersion


def prepare(template: Template, version: TemplateVersion) -> dict[str, str] | None:
    """The fields that differ from what the author wrote; None where there are none.

    An email without a text part gets one of its HTML, and the rules of its `<style>` are inlined.
    What cannot be read is left as it is: the checks say what is wrong with it.
    """
    markup = version.html_content
    if CHANNELS[template.type].content is not ContentKind.EMAIL or not markup.strip():
        return None
    made: dict[str, str] = {}
    try:
        if not version.content.strip():
            made["content"] = text_from_html(markup)
        made["html_content"] = inline_css(markup)
    except SourceError:
        return None
    changed = {
        field: text
        for field, text in made.items()
        if text != getattr(version, field) and len(text) <= SOURCE_MOST
    }
    return changed or None
