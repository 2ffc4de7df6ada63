"""What can be wrong with a call about templates."""

from collections.abc import Iterable, Mapping

import msgspec

from carillon.rendering import Problem
from carillon.web.errors import ApiError, Conflict, NotFound


class TemplateNotFound(NotFound):
    """No such template in this organization."""

    code = "template_not_found"
    message = "This organization has no such template."


class VersionNotFound(NotFound):
    """The template has no such version."""

    code = "version_not_found"
    message = "This template has no such version."


class TemplateExists(Conflict):
    """The code is taken, perhaps by an archived template."""

    code = "template_exists"
    message = "Another template of this organization has this code."

    def __init__(self) -> None:
        super().__init__(details={"code": [self.message]})


class TemplateArchived(Conflict):
    """An archived template is not changed; publishing a version brings it back."""

    code = "template_archived"
    message = "This template is archived. Publish one of its versions to bring it back."


class NothingToPublish(Conflict):
    """There is no draft."""

    code = "nothing_to_publish"
    message = "This template has no draft. Name the version to publish."


class NeverPublished(Conflict):
    """A rollback goes back to what was in force before."""

    code = "never_published"
    message = "This version was never published. Publish it instead."


class PreconditionFailed(ApiError):
    """Somebody else changed the template since it was read."""

    status = 412
    code = "precondition_failed"
    message = "The template was changed meanwhile. Fetch it again, and use its new ETag."


class TemplateInvalid(ApiError):
    """The template cannot be saved or published as it is; `details` says where and why."""

    status = 400
    code = "template_invalid"
    message = "The template has errors."

    def __init__(self, problems: Iterable[Problem]) -> None:
        found = tuple(problems)
        first = str(found[0])
        more = f" ({len(found)} errors in all)" if len(found) > 1 else ""
        super().__init__(f"{first}{more}", details=by_field(found))


class VariablesMissing(ApiError):
    """A preview needs variables that were not given."""

    status = 400
    code = "missing_variables"
    message = "Variables are missing."

    def __init__(self, names: Iterable[str]) -> None:
        missing = list(names)
        super().__init__(
            f"Missing variables: {', '.join(missing)}.",
            details={"data": [f"{name} is missing." for name in missing], "missing": missing},
        )


def by_field(problems: Iterable[Problem]) -> Mapping[str, list[object]]:
    """For `details`: the problems of each field, with their places."""
    found: dict[str, list[object]] = {}
    for problem in problems:
        shown = msgspec.to_builtins(problem)
        found.setdefault(shown.pop("field", "template"), []).append(shown)
    return found
