"""Copies the rules of an HTML template's `<style>` into `style` attributes, for mail programs.

Several of them (Gmail's apps for other providers' accounts, older Outlooks) drop `<style>`. Only
the attributes are taken from the inliner: whatever it thinks of the rest, not a character of the
author's markup changes, and what is written between the tags stays where it is.
"""

import html
from itertools import pairwise

from css_inline import CSSInliner, InlineError

from carillon.rendering.elements import Element, elements, find_attribute
from carillon.rendering.hiding import Hidden, hide_tags, statement_of

_MARK = "data-inlined"
# Rules times tags: each rule is tried on each tag, in some 20 nanoseconds.
_TRIES_MOST = 2_000_000
_TAGS_MOST = 5_000
_WITHOUT_STYLE = frozenset({"!--", "style", "script", "title", "head", "html", "meta", "link"})

# No file and no address is ever read: only what stands in the text itself.
_INLINER = CSSInliner(
    inline_style_tags=True, keep_style_tags=True, load_remote_stylesheets=False, cache=None
)


def inline_css(source: str) -> str:
    """The source with its own rules inlined; as it is where it has none.

    Rules with a condition or a loop of the template in them stay where they are, and so do those
    that cannot be inlined, such as media queries. Raises SourceError.
    """
    if "<style" not in source.lower():
        return source
    hidden = hide_tags(source)
    found = list(elements(hidden.text))
    blocks = [
        hidden.text[tag.end : after.start]
        for tag, after in pairwise(found)
        if tag.name == "style" and not tag.closes
    ]
    tags = [tag for tag in found if not tag.closes and tag.name not in _WITHOUT_STYLE]
    rules = sum(block.count("{") + block.count(",") for block in blocks)
    if any(_has_statement(block, hidden) for block in blocks) or rules * len(tags) > _TRIES_MOST:
        return source
    if len(tags) > _TAGS_MOST:
        return source
    try:
        inlined = _INLINER.inline(_marked(hidden.text, tags, hidden))
    except (InlineError, ValueError):
        return source
    styles = _styles(inlined)
    chunks: list[str] = []
    at = 0
    for index, tag in enumerate(tags):
        style = styles.get(index, "")
        chunks.append(hidden.text[at : tag.attributes_at])
        chunks.append(_with_style(tag.attributes, style, hidden))
        at = tag.attributes_at + len(tag.attributes)
    chunks.append(hidden.text[at:])
    return hidden.restore("".join(chunks))


def _has_statement(text: str, hidden: Hidden) -> bool:
    return any(statement_of(hidden.span(word.group())) for word in hidden.words.finditer(text))


def _marked(text: str, tags: list[Element], hidden: Hidden) -> str:
    """The text with a number on each tag, and without styles that the template computes."""
    chunks: list[str] = []
    at = 0
    for index, tag in enumerate(tags):
        chunks.append(f'{text[at : tag.attributes_at]} {_MARK}="{index}"')
        at = tag.attributes_at
        style = find_attribute(tag.attributes, "style")
        if style is not None and hidden.words.search(style.group()):
            chunks.append(text[at : at + style.start()])
            at += style.end()
    chunks.append(text[at:])
    return "".join(chunks)


def _styles(inlined: str) -> dict[int, str]:
    """The style of each numbered tag."""
    return {
        int(tag.attribute(_MARK)): tag.attribute("style")
        for tag in elements(inlined)
        if tag.attribute(_MARK)
    }


def _with_style(attributes: str, style: str, hidden: Hidden) -> str:
    if not style:
        return attributes
    own, written = find_attribute(attributes, "style"), html.escape(style)
    if own is None:
        kept = attributes.rstrip()
        closing = " /" if kept.endswith("/") else ""
        return f'{kept.removesuffix("/").rstrip()} style="{written}"{closing}'
    if hidden.words.search(own.group()):
        # What the template computes goes last, so that it wins as it would have.
        value = (own["value"] or "").strip("\"'")
        written = f"{written.rstrip(';')}; {value}"
    quote = "'" if (own["value"] or "").startswith("'") else '"'
    return f"{attributes[: own.start()]}style={quote}{written}{quote}{attributes[own.end() :]}"
