/** Deeper than what templates read; shallow enough to walk by recursion. A cycle is deeper. */
const maxDepth = 64;

/**
 * A copy of a JSON value, which can be sent to other threads and processes. Fields that are undefined are omitted.
 *
 * @param refused the error for a part that JSON does not have: where it is, such as `.tools[0].name`, and what it is
 */
export function copyJson(value: unknown, refused: (at: string, got: unknown) => Error): unknown {
  const copy = (part: unknown, at: string, depth: number): unknown => {
    if (part === null || typeof part === "string" || typeof part === "boolean") return part;
    if (Number.isFinite(part)) return part;
    if (depth < maxDepth && Array.isArray(part)) {
      return Array.from(part, (each, index) => copy(each, `${at}[${index}]`, depth + 1));
    }
    if (depth < maxDepth && isPlain(part)) {
      const fields = Object.entries(part).filter(([, each]) => each !== undefined);
      return Object.fromEntries(fields.map(([name, each]) => [name, copy(each, `${at}.${name}`, depth + 1)]));
    }
    throw refused(at, part);
  };
  return copy(value, "", 0);
}

/** Whether it is an object with nothing but its own fields, unlike a Map or a Date, whose contents JSON would lose. */
function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Object.prototype.toString.call(value) === "[object Object]" && !("toJSON" in value);
}
