import type { Sequence } from "@ringrank/coordinator";

/** The logits of each of `ids`, fed to a sequence in chunks of these lengths. Closes the sequence. */
export async function appendInChunks(
  sequence: Sequence,
  ids: readonly number[],
  chunks: readonly number[],
): Promise<number[]> {
  const all: number[] = [];
  let at = 0;
  for (const length of chunks) {
    const { logits } = await sequence.append(ids.slice(at, at + length));
    all.push(...logits.data);
    at += length;
  }
  sequence.close();
  return all;
}
