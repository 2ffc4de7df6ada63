"""Parses expressions: the part of Jinja's grammar that the language has.

Raises SourceError where the text cannot be read. What can be read but is not allowed is
reported, and parsing goes on, so that an author learns of all of it at once.
"""

from collections.abc import Sequence

from carillon.rendering import limits
from carillon.rendering.language import CONSTANTS
from carillon.rendering.lexer import SourceError, Token
from carillon.rendering.literals import number, text
from carillon.rendering.nodes import (
    Binary,
    Call,
    Condition,
    Constant,
    Expression,
    Filter,
    ListOf,
    Member,
    Name,
    Test,
    Unary,
)
from carillon.rendering.words import Report, WordChecker

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else"})


class ExpressionParser:
    """One tag's tokens, from `position` on."""

    def __init__(self, tokens: Sequence[Token], report: Report, position: int = 0) -> None:
        self._tokens = tokens
        self._report = report
        self._words = WordChecker(report)
        self._position = position
        self._depth = 0
        self._nodes = 0

    @property
    def token(self) -> Token:
        """The next token; the last one is of the kind "end"."""
        return self._tokens[self._position]

    def advance(self) -> Token:
        """Take the next token."""
        token = self._tokens[self._position]
        self._position = min(self._position + 1, len(self._tokens) - 1)
        return token

    def is_next(self, *texts: str) -> bool:
        """Whether the next token is one of these operators or words."""
        return self.token.kind in {"operator", "name"} and self.token.text in texts

    def accept(self, text: str) -> bool:
        """Take the next token if it is this operator or word."""
        if self.is_next(text):
            self.advance()
            return True
        return False

    def expect(self, text: str) -> Token:
        """Take this operator or word. Raises SourceError."""
        if not self.is_next(text):
            raise self.unexpected(f"{text} is missing")
        return self.advance()

    def tag_name(self) -> str:
        """Take the name of a tag. Raises SourceError."""
        if self.token.kind != "name":
            raise self.unexpected("the name of a tag is missing")
        return self.advance().text

    def expect_name(self, what: str) -> Token:
        """Take a name that is not a word of the language. Raises SourceError."""
        if self.token.kind != "name" or self.token.text in _KEYWORDS | CONSTANTS.keys():
            raise self.unexpected(f"{what} is missing")
        return self.advance()

    def expect_end(self) -> None:
        """Nothing may be left. Raises SourceError."""
        if self.token.kind != "end":
            raise SourceError(self.token.at, f"{self.token.text!r} is not expected here.")

    def unexpected(self, wanted: str) -> SourceError:
        """The error for a token that is not what is wanted."""
        if self.token.kind == "end":
            return SourceError(self.token.at, f"The tag ends too soon: {wanted}.")
        return SourceError(self.token.at, f"{wanted[0].upper()}{wanted[1:]} before {self._shown}.")

    @property
    def _shown(self) -> str:
        return repr(self.token.text)

    def expression(self) -> Expression:
        """A whole expression, with `a if b else c`. Raises SourceError."""
        at = self._enter()
        then = self._or()
        while self.is_next("if"):
            self.advance()
            test = self._or()
            otherwise = self.expression() if self.accept("else") else None
            then = self._node(Condition(at, test, then, otherwise))
        self._leave()
        return then

    def without_condition(self) -> Expression:
        """The same without `a if b`: in `for x in xs if …` the `if` is the loop's."""
        self._enter()
        found = self._or()
        self._leave()
        return found

    def _or(self) -> Expression:
        left = self._and()
        while self.is_next("or"):
            at = self.advance().at
            left = self._node(Binary(at, "or", left, self._and()))
        return left

    def _and(self) -> Expression:
        left = self._not()
        while self.is_next("and"):
            at = self.advance().at
            left = self._node(Binary(at, "and", left, self._not()))
        return left

    def _not(self) -> Expression:
        if not self.is_next("not"):
            return self._comparison()
        at = self._enter()
        self.advance()
        operand = self._not()
        self._leave()
        return self._node(Unary(at, "not", operand))

    def _comparison(self) -> Expression:
        left = self._sum()
        operator = self._comparison_operator()
        if operator is None:
            return left
        found = self._node(Binary(operator.at, operator.text, left, self._sum()))
        another = self._comparison_operator()
        if another is not None:
            raise SourceError(another.at, "Join comparisons with `and`.")
        return found

    def _comparison_operator(self) -> Token | None:
        token = self.token
        if token.kind == "operator" and token.text in _COMPARISONS:
            return self.advance()
        if self.accept("in"):
            return Token("operator", "in", token.at)
        if self.is_next("not"):
            self.advance()
            self.expect("in")
            return Token("operator", "not in", token.at)
        return None

    def _sum(self) -> Expression:
        left = self._concatenation()
        while self.is_next("+", "-"):
            token = self.advance()
            left = self._node(Binary(token.at, token.text, left, self._concatenation()))
        return left

    def _concatenation(self) -> Expression:
        left = self._product()
        while self.is_next("~"):
            at = self.advance().at
            left = self._node(Binary(at, "~", left, self._product()))
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while self.is_next("*", "/", "//", "%", "**"):
            token = self.advance()
            if token.text == "**":
                self._report(token.at, "refused_operator", "There is no ** in templates.")
            left = self._node(Binary(token.at, token.text, left, self._unary()))
        return left

    def _unary(self) -> Expression:
        if not self.is_next("-", "+"):
            return self._filtered(self._postfix(self._primary()))
        at = self._enter()
        token = self.advance()
        operand = self._postfix(self._primary())
        self._leave()
        if token.text == "+":
            raise SourceError(at, "There is no + sign; write the number alone.")
        return self._filtered(self._node(Unary(at, "-", operand)))

    def _primary(self) -> Expression:
        token = self.advance()
        match token.kind:
            case "name" if token.text in CONSTANTS:
                return self._node(Constant(token.at, CONSTANTS[token.text]))
            case "name" if token.text not in _KEYWORDS:
                return self._node(self._name(token))
            case "number":
                return self._node(number(token))
            case "string":
                return self._node(Constant(token.at, text(token)))
        if token.text == "(" and token.kind == "operator":
            return self._parenthesised()
        if token.text == "[" and token.kind == "operator":
            return self._node(ListOf(token.at, self._until("]")))
        if token.text == "{" and token.kind == "operator":
            raise SourceError(token.at, "Objects cannot be written in templates.")
        if token.kind == "end":
            raise SourceError(token.at, "The tag ends too soon: a value is missing.")
        raise SourceError(token.at, f"A value is missing before {token.text!r}.")

    def _parenthesised(self) -> Expression:
        found = self.expression()
        if self.is_next(","):
            raise SourceError(self.token.at, "Write lists in square brackets: [a, b].")
        self.expect(")")
        return found

    def _until(self, closing: str) -> tuple[Expression, ...]:
        """Comma-separated expressions; a comma may be the last."""
        found: list[Expression] = []
        while not self.accept(closing):
            found.append(self.expression())
            if not self.accept(","):
                self.expect(closing)
                break
        return tuple(found)

    def _name(self, token: Token) -> Name:
        self._words.check_name(token.at, token.text)
        return Name(token.at, token.text)

    def _postfix(self, found: Expression) -> Expression:
        while True:
            if self.is_next("."):
                self.advance()
                found = self._node(self._member(found))
            elif self.is_next("["):
                at = self.advance().at
                key = self.expression()
                if self.is_next(":"):
                    raise SourceError(self.token.at, "There are no slices; use truncate or first.")
                self.expect("]")
                if isinstance(key, Constant):
                    self._words.check_name(key.at, str(key.value))
                found = self._node(Member(at, found, key))
            elif self.is_next("("):
                found = self._node(self._call(found))
            else:
                return found

    def _member(self, of: Expression) -> Member:
        token = self.advance()
        if token.kind == "number" and token.text.isdigit():
            return Member(of.at, of, number(token))
        if token.kind != "name":
            raise SourceError(token.at, "A name is missing after the dot.")
        self._words.check_name(token.at, token.text)
        return Member(of.at, of, Constant(token.at, token.text))

    def _call(self, function: Expression) -> Expression:
        self.expect("(")
        call = Call(function.at, _dotted(function), self._until(")"))
        self._words.check_call(call)
        return call

    def _filtered(self, found: Expression) -> Expression:
        while True:
            if self.is_next("|"):
                self.advance()
                found = self._node(self._filter(found))
            elif self.is_next("is"):
                self.advance()
                found = self._node(self._test(found))
            else:
                return found

    def _filter(self, of: Expression) -> Filter:
        token = self.advance()
        if token.kind != "name":
            raise SourceError(token.at, "The name of a filter is missing after |.")
        arguments: list[Expression] = []
        keywords: list[tuple[str, Expression]] = []
        if self.accept("("):
            while not self.accept(")"):
                self._argument(arguments, keywords)
                if not self.accept(","):
                    self.expect(")")
                    break
        found = Filter(token.at, of, token.text, tuple(arguments), tuple(keywords))
        self._words.check_filter(found)
        return found

    def _argument(
        self, arguments: list[Expression], keywords: list[tuple[str, Expression]]
    ) -> None:
        token = self.token
        if token.kind == "name" and self._tokens[self._position + 1].text == "=":
            self.advance()
            self.advance()
            keywords.append((token.text, self.expression()))
            return
        if keywords:
            raise SourceError(token.at, "Arguments without a name come first.")
        arguments.append(self.expression())

    def _test(self, of: Expression) -> Test:
        negated = self.accept("not")
        token = self.advance()
        if token.kind != "name":
            raise SourceError(token.at, "The name of a test is missing after `is`.")
        arguments: tuple[Expression, ...] = ()
        if self.accept("("):
            arguments = self._until(")")
        name = token.text.lower() if token.text in CONSTANTS else token.text
        found = Test(token.at, of, name, arguments, negated)
        self._words.check_test(found)
        return found

    def _node(self, node: Expression) -> Expression:
        self._nodes += 1
        if self._nodes > limits.EXPRESSION_NODES_MOST:
            raise SourceError(node.at, "This expression is too long.", "too_complex")
        return node

    def _enter(self) -> int:
        self._depth += 1
        if self._depth > limits.EXPRESSION_DEPTH_MOST:
            raise SourceError(self.token.at, "This expression is nested too deeply.", "too_complex")
        return self.token.at

    def _leave(self) -> None:
        self._depth -= 1


def _dotted(expression: Expression) -> str:
    """`loop.cycle` of a Member, or "" where it is not made of names."""
    if isinstance(expression, Name):
        return expression.name
    if isinstance(expression, Member) and isinstance(expression.key, Constant):
        of = _dotted(expression.of)
        return f"{of}.{expression.key.value}" if of else ""
    return ""
