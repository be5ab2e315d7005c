import { messageOf } from "@ringrank/errors";

/** What a task has thrown: an error with its name, or any other value. */
export function textOf(thrown: unknown): string {
  const message = messageOf(thrown);
  if (!(thrown instanceof Error)) return message;
  // As String() has it, which throws if one of the two cannot be converted to a string.
  return [thrown.name, message].filter((part) => typeof part === "string" && part !== "").join(": ");
}
