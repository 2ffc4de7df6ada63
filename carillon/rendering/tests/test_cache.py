"""Compiled versions are kept, never mixed up, and rendered by many threads at once."""

import threading

import pytest

from carillon.contracts.messages import TextContent
from carillon.rendering import RenderingError, render_content
from carillon.rendering.audience import audience
from carillon.rendering.content import _Cache
from carillon.rendering.tests.versions import version


def test_the_same_texts_are_compiled_once() -> None:
    cache = _Cache(1_000_000)

    first = cache.get(version("{{ a }}"), "sms")

    assert cache.get(version("{{ a }}"), "sms") is first
    assert len(cache) == 1


def test_whatever_the_result_depends_on_is_part_of_the_key() -> None:
    cache = _Cache(1_000_000)
    versions = [
        (version("{{ a }}"), "sms"),
        (version("{{ a }} "), "sms"),
        (version("{{ a }}", optional=("a",)), "sms"),
        (version("{{ a }}"), "whatsapp"),
        (version("{{ a }}", subject="x"), "push"),
        (version("{{ a }}", subject="x"), "email"),
        (version("{{ a }}", subject="x", html="y"), "email"),
    ]

    compiled = [cache.get(*each) for each in versions]

    assert len({id(each) for each in compiled}) == len(versions)


def test_a_changed_text_under_the_same_version_number_is_rendered_as_it_is_now() -> None:
    assert render_content(version("old {{ a }}"), "sms", {"a": 1}) == TextContent("old 1")
    assert render_content(version("new {{ a }}"), "sms", {"a": 1}) == TextContent("new 1")


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    size = _Cache(1_000_000).get(version("a" * 1_000), "sms").size
    cache = _Cache(3 * size)
    kept = [version(letter * 1_000) for letter in "abcd"]

    oldest = cache.get(kept[0], "sms")
    second = cache.get(kept[1], "sms")
    cache.get(kept[2], "sms")
    assert cache.get(kept[0], "sms") is oldest
    cache.get(kept[3], "sms")

    assert len(cache) == 3
    assert cache.get(kept[0], "sms") is oldest
    assert cache.get(kept[1], "sms") is not second


def test_a_version_larger_than_the_cache_is_rendered_all_the_same() -> None:
    cache = _Cache(10)
    assert cache.get(version("a" * 1_000), "sms").program.render({}, 0, audience("en", "UTC")) == {
        "content": "a" * 1_000
    }


def test_threads_share_a_version_without_sharing_values() -> None:
    source = "{% for i in rows %}{{ loop.index }}{{ who }}{% endfor %}"
    made = version(source, required=("rows", "who"))
    wrong: list[str] = []

    def render(who: str) -> None:
        for _ in range(200):
            content = render_content(made, "whatsapp", {"rows": [1] * 50, "who": who})
            expected = "".join(f"{i}{who}" for i in range(1, 51))
            if content != TextContent(expected):
                wrong.append(str(content))

    threads = [threading.Thread(target=render, args=(letter,)) for letter in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_an_error_in_one_render_leaves_the_next_one_alone() -> None:
    made = version("{% for i in rows %}{{ i.x }}{% endfor %}", required=("rows",))
    for row in ({}, {"x": [1]}, {"x": "a" * 2_000}):
        with pytest.raises(RenderingError):
            render_content(made, "sms", {"rows": [row]})
    assert render_content(made, "sms", {"rows": [{"x": "ok"}]}) == TextContent("ok")
