import { inspect } from "node:util";

/** An error's message; for any other thrown value, its text. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  // Converted to a string, an object would be "[object Object]", or throw if it has no prototype.
  return typeof thrown === "object"
    ? inspect(thrown, { breakLength: Number.POSITIVE_INFINITY })
    : String(thrown);
}
