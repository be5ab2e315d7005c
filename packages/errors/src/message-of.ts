import { inspect } from "node:util";

/** An error's message; for any other thrown value, its text. */
export function messageOf(thrown: unknown): string {
  // JavaScript lets an error's message be of any type.
  const value: unknown = thrown instanceof Error ? thrown.message : thrown;
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return String(value);
  try {
    // Converted to a string, an object would be "[object Object]", or throw if it has no prototype.
    return inspect(value, { breakLength: Number.POSITIVE_INFINITY, customInspect: false });
  } catch {
    // Looking at it runs code of its own, such as that of a getter.
    return "a value that cannot be shown";
  }
}
