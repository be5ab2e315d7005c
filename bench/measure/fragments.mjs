import { fork } from "node:child_process";
import { once } from "node:events";
import { availableBytes } from "./machine.mjs";

const holder = new URL("./fragment-holder.mjs", import.meta.url);

/**
 * Allocates the free memory that is scattered in small blocks, in a separate process, so that no contestant gets it.
 *
 * Linux hands out the smallest free blocks first, so the first of several processes gets pages from all over the
 * memory, and the others get long runs of pages. On scattered pages a decode step was seen to take 3 to 8% longer,
 * whichever contestant had them, for as long as the process lived.
 *
 * @returns `{ bytes, release }`: how much was allocated, and a function that frees it
 */
export async function holdFragments() {
  const process = fork(holder, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  // Contestants have priority if memory is short.
  process.send({ atMost: availableBytes() / 4 });
  const [message] = await Promise.race([
    once(process, "message"),
    once(process, "exit").then(([code, signal]) => {
      throw new Error(`the process that takes scattered memory ended with ${signal ?? code}`);
    }),
  ]);
  return { bytes: message.bytes, release: () => process.kill("SIGKILL") };
}
