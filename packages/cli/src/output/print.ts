import { outputFailure } from "../interruption.js";

/**
 * Writes to standard output, and waits until it has been written, so that no output is silently lost.
 *
 * @throws Interrupted
 */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error == null ? resolve() : reject(outputFailure(error))));
  });
}
