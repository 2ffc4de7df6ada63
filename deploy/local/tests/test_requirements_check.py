import pytest

from deploy.local.requirements_check import problems_in

GOOD = """msgspec==0.20.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via -r shared.in
tzdata==2026.1 ; sys_platform == 'win32' \\
    --hash=sha256:cc
    # via django
"""


def test_pins_with_hashes_are_good() -> None:
    assert problems_in(GOOD) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("msgspec==0.20.0\n", "line 1: has no hash: msgspec==0.20.0"),
        (GOOD + "pika==1.4.4\n    # via x\n", "line 8: has no hash: pika==1.4.4"),
        ("pika>=1 \\\n    --hash=sha256:aa\n", "line 1: is not pinned: pika>=1"),
        ("--index-url https://example.com/simple\n", "names an address"),
        ("    --extra-index-url https://example.com\n", "names an address"),
        ("--find-links /wheels\n", "names an address"),
        ("-i https://example.com/simple\n", "names an address"),
        ("a @ https://example.com/a.whl --hash=sha256:aa\n", "names an address"),
        ("a @ file:///a.whl --hash=sha256:aa\n", "names an address"),
    ],
)
def test_what_is_not_is_named(text: str, problem: str) -> None:
    assert any(problem in found for found in problems_in(text))
