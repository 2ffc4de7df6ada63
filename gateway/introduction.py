"""What the API's description opens with."""

_TEXT = """
One API rings every bell: email, SMS, WhatsApp and push.

**Keys.** Send your organization's API key in the header `X-API-Key`, never in a URL. A key has
scopes: `send`, `read`, `templates`, `users`, and `admin`, which includes the rest. With a key
`org_test_…` everything happens but the delivery: a sandbox takes the messages, and they cost no
quota. Send to `temp-fail@simulator.carillon.test`, `perm-fail@…` or `bounce@…` to see each kind of
failure.

**Answers** are JSON in one envelope. A success has `success: true`, `data`, `message` and `meta`,
which tells of pages. A refusal has `success: false`, a code in `error` that never changes its
meaning, a `message` for people and often `details`, by field. Each call lists the codes that it may
answer with.

**Repeating.** Give a notification a `request_id` (or send `Idempotency-Key`): the same request sent
twice is one notification, and the repeat is answered with it and `Idempotent-Replayed: true`.

**Limits.** `RateLimit-Policy` and `RateLimit` say what is allowed and what is left; a 429 says in
`Retry-After` how many seconds to wait. A 503 is not your mistake: nothing was stored, try again.

**Tracing.** Every answer has `X-Correlation-ID`, yours if you sent one. It goes along with a
notification to the provider and finds it in our logs.

Times are ISO 8601 with an offset. Unknown fields are refused and named. Every path ends in a slash.
"""

# A line each: the viewers break a paragraph where its text has a line break.
INTRODUCTION = "\n\n".join(" ".join(paragraph.split()) for paragraph in _TEXT.split("\n\n"))
