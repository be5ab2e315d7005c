import { outputFailure } from "../interruption.js";

/**
 * Writes to standard output, and waits until it is written: what the command has to say is not lost without a word.
 *
 * @throws Interrupted
 */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error == null ? resolve() : reject(outputFailure(error))));
  });
}
