import { once } from "node:events";
import type { GeneratedToken, Generation } from "@ringrank/coordinator";
import { print } from "./print.js";

/**
 * Writes a generation's text to standard output as it comes, and ends its last line, whatever happens. It resolves once
 * everything has been written.
 *
 * @param onToken called with each token as it comes
 * @throws Interrupted, what the generation throws, or an AbortError once `signal` is aborted
 */
export async function writeGeneration(
  generation: Generation,
  onToken: (token: GeneratedToken) => void,
  signal: AbortSignal,
): Promise<void> {
  let hasText = false;
  try {
    for await (const token of generation) {
      onToken(token);
      hasText ||= token.text !== "";
      if (!process.stdout.write(token.text)) await once(process.stdout, "drain", { signal });
    }
  } catch (error) {
    if (hasText) process.stdout.write("\n");
    throw error;
  }
  // This also waits for the text: nothing else would report that the last token could not be written.
  if (hasText) await print("\n");
}
