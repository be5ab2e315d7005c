import { existsSync } from "node:fs";
import { join } from "node:path";
import { readSafetensorsHeader } from "../../packages/model/src/checkpoint/safetensors.js";
import { closeFile, openFile } from "../../packages/model/src/weights/read-at.js";
import { type OnnxExport, readRecipe } from "./onnx-exports.js";

/**
 * Weights outside attention, feed-forward and vocabulary: positions, token types, narrow embeddings, transforms of
 * heads.
 */
const others =
  /position|token_type|rel_embeddings|wpe|mask_emb|embed_dim|project|mapping|\.transform\.|lm_head\.dense|head\.dense|vocab_transform|generator|predictions\.dense/;

/**
 * The bytes saved on the fullest rank if a person splits the matrices of an export's attention, feed-forward and
 * vocabulary by their names in the checkpoint. In fp32. A table that the file holds twice counts twice if a recipe says
 * so; in an export from another directory it counts once.
 */
export function perfectSplit({ reference, recipe }: OnnxExport, ranks: number): number {
  const file = openFile(join(reference, "model.safetensors"));
  const { tensors } = readSafetensorsHeader(file);
  closeFile(file);
  const held = existsSync(recipe) ? readRecipe(recipe).flatMap((place) => place.tensors) : tensors.keys();
  let bytes = 0;
  for (const name of held) {
    const { dims } = tensors.get(name)!;
    if (dims.length < 2 || others.test(name)) continue;
    bytes += dims.reduce((size, dim) => size * dim, Float32Array.BYTES_PER_ELEMENT);
  }
  return bytes * (1 - 1 / ranks);
}
