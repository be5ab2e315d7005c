import { join } from "node:path";
import { readSafetensorsHeader } from "../../packages/model/src/checkpoint/index.js";
import { closeFile, openFile } from "../../packages/model/src/weights/read-at.js";

/** What is neither attention, feed-forward nor vocabulary: positions, token types, narrow embeddings, heads' transforms. */
const others =
  /position|token_type|rel_embeddings|wpe|embed_dim|project|mapping|transform|lm_head\.dense|head\.dense|vocab_transform|generator|predictions\.dense/;

/**
 * Bytes that the fullest rank is spared when a person splits the matrices of a checkpoint's attention, feed-forward
 * and vocabulary by the names of their tensors. In fp32; a table that a file holds twice counts once.
 *
 * @param directory of the checkpoint
 */
export function perfectSplit(directory: string, ranks: number): number {
  const file = openFile(join(directory, "model.safetensors"));
  const { tensors } = readSafetensorsHeader(file);
  closeFile(file);
  let bytes = 0;
  for (const [name, { dims }] of tensors) {
    if (dims.length < 2 || others.test(name)) continue;
    bytes += dims.reduce((size, dim) => size * dim, Float32Array.BYTES_PER_ELEMENT);
  }
  return bytes * (1 - 1 / ranks);
}
