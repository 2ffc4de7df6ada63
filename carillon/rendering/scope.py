"""Which variables a template needs, and where it first uses each."""

from carillon.rendering.nodes import (
    Body,
    Call,
    Expression,
    For,
    If,
    Name,
    Output,
    Set,
    Statement,
    walk,
)


def free_names(body: Body) -> dict[str, int]:
    """The names that the template does not bind itself, with the offset of their first use."""
    found: dict[str, int] = {}
    _visit_body(body, frozenset(), found)
    return found


def bound_after(statement: Statement) -> frozenset[str]:
    """The names that are certainly bound once the statement has run."""
    if isinstance(statement, Set):
        return frozenset({statement.name})
    if isinstance(statement, If) and statement.branches[-1][0] is None:
        outcomes = [_bound_by(body) for _, body in statement.branches]
        return frozenset.intersection(*outcomes)
    # What is set within a loop ends with it.
    return frozenset()


def loop_names(loop: For) -> frozenset[str]:
    """What is bound within the loop's body."""
    return frozenset({*loop.targets, "loop"})


def _bound_by(body: Body) -> frozenset[str]:
    return frozenset[str]().union(*(bound_after(statement) for statement in body))


def _visit_body(body: Body, bound: frozenset[str], found: dict[str, int]) -> None:
    for statement in body:
        _visit(statement, bound, found)
        bound |= bound_after(statement)


def _visit(statement: Statement, bound: frozenset[str], found: dict[str, int]) -> None:
    match statement:
        case Output():
            _use(statement.expression, bound, found)
        case Set():
            _use(statement.value, bound, found)
        case If():
            for test, body in statement.branches:
                if test is not None:
                    _use(test, bound, found)
                _visit_body(body, bound, found)
        case For():
            _use(statement.iterable, bound, found)
            inner = bound | loop_names(statement)
            if statement.condition is not None:
                # The loop's own counters do not run yet while rows are chosen.
                _use(statement.condition, inner - {"loop"}, found)
            _visit_body(statement.body, inner, found)
            _visit_body(statement.otherwise, bound, found)


def _use(expression: Expression, bound: frozenset[str], found: dict[str, int]) -> None:
    for node in walk(expression):
        name = ""
        if isinstance(node, Name):
            name = node.name
        elif isinstance(node, Call) and node.function.startswith("loop."):
            name = "loop"
        if name and name not in bound and (name not in found or node.at < found[name]):
            found[name] = node.at
