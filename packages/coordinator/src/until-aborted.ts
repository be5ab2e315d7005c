import { onAbort } from "@ringrank/collectives";

/**
 * Resolves with the result of `work`, or rejects with the reason of a signal that is aborted first, without waiting for
 * the work.
 */
export async function untilAborted<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  signal?.throwIfAborted();
  let settled = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    settled = onAbort(signal, () => reject(signal?.reason));
  });
  return await Promise.race([work(), aborted]).finally(settled);
}
