"""Identifiers as callers write them: a prefix and 26 digits of five bits (TypeID)."""

from uuid import UUID

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
VALUES = {digit: value for value, digit in enumerate(DIGITS)}


def read(prefix: str, text: str) -> UUID | None:
    """The UUID of an identifier that begins with `prefix`; None when it is none."""
    if not text.startswith(prefix) or len(text) != len(prefix) + 26:
        return None
    number = 0
    for digit in text[len(prefix) :]:
        if digit not in VALUES:
            return None
        number = number << 5 | VALUES[digit]
    return UUID(int=number)


def write(prefix: str, uuid: UUID) -> str:
    """How callers write a UUID."""
    number = uuid.int
    digits = []
    for _ in range(26):
        digits.append(DIGITS[number & 31])
        number >>= 5
    return prefix + "".join(reversed(digits))
