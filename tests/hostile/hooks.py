"""What Schemathesis is told about this program beside the document."""

import os
import re

import schemathesis

OWN_KEY = os.environ["HOSTILE_KEY_ID"]
BASIC = os.environ["HOSTILE_BASIC"]
NOBODYS_KEY = "key_01m80t7jx3e9vbq2f4c6d8g0hk"

# Problems that say: this is not what the document describes.
SHAPE = {
    "idempotency_key_malformed",
    "idempotency_key_required",
    "if_match_malformed",
    "invalid_body",
    "invalid_parameter",
    "malformed_id",
    "malformed_request",
    "wrong_id_type",
}

# What a document cannot say, so that a value it allows is refused all the same: the mistake's code, and a word of its
# message where the code alone would excuse too much.
BEYOND_A_SCHEMA = {
    ("answer_not_among_choices", ""): "one member depends on how long another is",
    ("condition_malformed", ""): "a condition is a language",
    ("condition_may_not_end", ""): "a condition is a language",
    ("condition_too_complex", ""): "a condition is a language",
    ("condition_unknown_name", ""): "a condition is a language",
    ("instalments_not_whole", ""): "a sum over several items",
    ("malformed_origin", ""): "an origin is more than a pattern says",
    ("malformed_url", ""): "an address is more than a pattern says",
    ("out_of_reach", "a year from"): "JSON Schema has no bounds for dates",
    ("repeated_choice", ""): "unique by one member",
    ("role_of_the_brand", ""): "roles are one list, and this place takes some of them",
    ("tiers_gapped", ""): "one item depends on the one before",
    ("tiers_out_of_order", ""): "one item depends on the one before",
    ("tiers_overlap", ""): "one item depends on the one before",
    ("too_precise", ""): "0.001 is no number of a computer's, so that validators disagree about its multiples",
    ("too_long", "bytes of UTF-8"): "JSON Schema counts characters",
    ("unknown_currency", ""): "ISO 4217 is a list of others, and grows",
    ("unknown_time_zone", ""): "the IANA database is a list of others, and grows",
}


# Objects whose members have names of the caller's choice: the document says what the members are, and in words what
# they may be called.
NAMED_BY_CALLERS = {"/facts", "/facts/event", "/facts/step"}
# The answer of a quiz is null where it is not shown, and given where it is asked for.
ANSWER = re.compile(r"(/sops/\d+)?/quiz/\d+/answer")


@schemathesis.check
def only_rules_refuse_what_is_described(ctx, response, case):
    """What the document allows is refused by a rule of the business, or for what no document can say."""
    is_described = case.meta is not None and case.meta.generation.mode.is_positive
    if not is_described or response.status_code not in (400, 422):
        return
    problem = response.json()
    if problem.get("code") not in SHAPE:
        return
    mistakes = problem["errors"] or [{"code": problem["code"], "message": problem["detail"]}]
    for mistake in mistakes:
        excused = (code == mistake["code"] and word in mistake["message"] for code, word in BEYOND_A_SCHEMA)
        pointer = mistake.get("pointer", "")
        is_name = pointer in NAMED_BY_CALLERS
        is_hidden = mistake["code"] == "wrong_type" and ANSWER.fullmatch(pointer)
        assert is_name or is_hidden or any(excused), f"the document allows what is refused: {mistake}"


# Headers of HTTP itself, and those that tell browsers and proxies what not to do: no caller reads them.
GENERAL = {
    "allow",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "referrer-policy",
    "transfer-encoding",
    "vary",
    "www-authenticate",
    "x-accel-buffering",
    "x-content-type-options",
}


@schemathesis.check
def only_described_headers_are_sent(ctx, response, case):
    """What an answer says in its headers stands in the document."""
    described = case.operation.responses.find_by_status_code(response.status_code)
    if described is None:
        return
    known = GENERAL | {name.lower() for name, _ in described.headers.items()}
    strange = sorted(set(name.lower() for name in response.headers) - known)
    assert not strange, f"{response.status_code} carries what the document does not describe: {strange}"


@schemathesis.hook
def before_call(context, case, kwargs):
    """Where this program's credentials need care."""
    path, named = case.operation.path, case.path_parameters
    # The key that knocks at all doors is not revoked: everything after it would be a 401.
    if path == "/v1/api-keys/{id}/revoke" and named.get("id") == OWN_KEY:
        named["id"] = NOBODYS_KEY
    # Here the key is shown in another way than at all other doors.
    if path == "/oauth/token":
        case.headers.setdefault("Authorization", f"Basic {BASIC}")


@schemathesis.serializer("application/x-ndjson", "image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf", "text/calendar")
def as_it_is(ctx, value):
    """A file is bytes or a text to its operation; what else is thrown at it is sent as it reads."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", errors="replace")
