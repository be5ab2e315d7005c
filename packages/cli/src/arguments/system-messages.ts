import type { ChatMessage } from "@ringrank/coordinator";

/** What a conversation begins with: the message of `--system`, or nothing. */
export function systemMessages(system: string | undefined): ChatMessage[] {
  return system === undefined ? [] : [{ role: "system", content: system }];
}
