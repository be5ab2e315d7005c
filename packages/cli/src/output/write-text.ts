import { once } from "node:events";
import { print } from "./print.js";

/**
 * Writes texts to standard output as they come, and ends their last line, whatever happens. It resolves once everything
 * has been written.
 *
 * @throws Interrupted, what `texts` throws, or the reason of `signal`
 */
export async function writeText(texts: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  let hasText = false;
  try {
    for await (const text of texts) {
      hasText ||= text !== "";
      if (!process.stdout.write(text)) await once(process.stdout, "drain", { signal });
    }
  } catch (error) {
    if (hasText) process.stdout.write("\n");
    throw error;
  }
  // This also waits for the text: nothing else would report that the last token could not be written.
  if (hasText) await print("\n");
}
