// Identifiers as callers write them: a prefix and 26 digits of five bits (TypeID).

const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";
const VALUES = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** The UUID of an identifier that begins with `prefix`; null when it is none. */
export function read(prefix, text) {
  if (typeof text !== "string" || !text.startsWith(prefix) || text.length !== prefix.length + 26) {
    return null;
  }
  let number = 0n;
  for (const digit of text.slice(prefix.length)) {
    const value = VALUES.get(digit);
    if (value === undefined) {
      return null;
    }
    number = (number << 5n) | BigInt(value);
  }
  const hex = number.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** How callers write a UUID. */
export function write(prefix, uuid) {
  let number = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let text = "";
  for (let place = 0; place < 26; place += 1) {
    text = DIGITS[Number(number & 31n)] + text;
    number >>= 5n;
  }
  return prefix + text;
}
