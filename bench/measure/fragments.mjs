import { fork } from "node:child_process";
import { once } from "node:events";
import { availableBytes } from "./machine.mjs";

const holder = new URL("./fragment-holder.mjs", import.meta.url);

/**
 * Takes the free memory that lies scattered in small blocks, in a process of its own, so that no contestant gets it.
 *
 * Linux hands out the smallest free blocks first, so that of several processes the first gets pages from all over the
 * memory, and the others get them in long runs. On such pages a decode step was seen to take 3 to 8% longer, whichever
 * contestant's they were, for as long as the process lived.
 *
 * @returns `{ bytes, release }`: how much was taken, and what gives it back
 */
export async function holdFragments() {
  const process = fork(holder, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  // Contestants come first where memory is short.
  process.send({ atMost: availableBytes() / 4 });
  const [message] = await Promise.race([
    once(process, "message"),
    once(process, "exit").then(([code, signal]) => {
      throw new Error(`the process that takes scattered memory ended with ${signal ?? code}`);
    }),
  ]);
  return { bytes: message.bytes, release: () => process.kill("SIGKILL") };
}
