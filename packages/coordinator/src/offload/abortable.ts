import { onAbort } from "@ringrank/collectives";
import type { Offload } from "./offload.js";

/**
 * Runs `work`. If the signal is aborted, its thread is ended, and with it the work, with the signal's reason; the
 * thread has ended when this settles.
 */
export async function abortable<Result>(
  signal: AbortSignal | undefined,
  offload: Pick<Offload<unknown>, "close">,
  work: () => Promise<Result>,
): Promise<Result> {
  let closing: Promise<void> | undefined;
  const settled = onAbort(signal, () => {
    closing = offload.close(signal?.reason);
  });
  try {
    return await work();
  } finally {
    settled();
    await closing;
  }
}
