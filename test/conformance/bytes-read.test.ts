import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel } from "@ringrank/coordinator";
import { buildGraph, openCheckpoint } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { zeroTensors } from "../support/safetensors.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

/**
 * One layer that is so wide that every contiguous run of a unit is at least 4 KiB, so that no gap has to be read: a row
 * of the output projection is 16 heads of 256 lanes, one of the down projection 8192 wide.
 */
const config = {
  model_type: "llama",
  hidden_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 1024,
  intermediate_size: 8192,
  vocab_size: 1024,
  max_position_embeddings: 64,
  hidden_act: "silu",
  tie_word_embeddings: false,
};

/** Writes a checkpoint of zeros for {@link config}, with the tensors that its graph reads. */
function writeCheckpoint(): string {
  const directory = temporaryDirectory({ "config.json": JSON.stringify(config) });
  const { graph } = buildGraph(openCheckpoint(directory));
  const parameters = [...graph.weights].filter(([, { source }]) => source.kind === "absent");
  const shapes = Object.fromEntries(parameters.map(([name, { dims }]) => [name, dims]));
  writeFileSync(join(directory, "model.safetensors"), zeroTensors(shapes));
  return directory;
}

describe("reading a shard", () => {
  it.each([1, 2, 3, 4])("each of %i ranks reads at most 1.25 times the bytes it keeps", async (ranks) => {
    const model = await loadModel(writeCheckpoint(), { ranks });
    try {
      // The file holds fp32, as ranks do, so bytes read and kept compare directly.
      for (const { bytesKept, bytesRead } of model.memory()) {
        expect(bytesRead).toBeGreaterThanOrEqual(bytesKept);
        expect(bytesRead).toBeLessThanOrEqual(1.25 * bytesKept);
      }
    } finally {
      await model.close();
    }
  });
});
