import { messageOf } from "@ringrank/errors";

/** What a task has thrown: an error with its name, or any other value. */
export function textOf(thrown: unknown): string {
  return thrown instanceof Error ? String(thrown) : messageOf(thrown);
}
