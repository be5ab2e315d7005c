import { describe, expect, it } from "vitest";
import { checkpointDecisions, exportDecisions } from "../support/decisions.js";
import { fixtureExports } from "../support/onnx-exports.js";

/**
 * Tables of positions or distances that an export keeps whole and the checkpoint's own graph shards. Four are worth
 * less than the 5% that predicted time may cost: an export holds the table of words twice (as it is, and transposed
 * for the logits), so that they weigh less in it. DeBERTa's is cut by bounds that its export computes.
 */
const smallTables: ReadonlySet<string> = new Set([
  "model.decoder.embed_positions.weight",
  "albert.embeddings.position_embeddings.weight",
  "electra.embeddings.position_embeddings.weight",
  "transformer.positions_embed.weight",
  "deberta.encoder.rel_embeddings.weight",
]);

/** Both exporters' files of a model agree with the checkpoint, so they agree with one another. */
describe.each(fixtureExports())("$name", (exported) => {
  it.each([2, 3])(
    "splits each tensor on %i ranks along the axis, and in the shares, that the checkpoint's own graph does",
    (ranks) => {
      const decided = exportDecisions(exported, ranks);
      const expected = checkpointDecisions(exported.reference)(ranks);
      // Matrices alone: shorter tensors are not told from others by their bytes.
      expect(decided.size).toBeGreaterThanOrEqual(9);
      for (const [tensor, decision] of decided) {
        if (!smallTables.has(tensor))
          expect(`${tensor} ${decision}`).toBe(`${tensor} ${expected.get(tensor)}`);
      }
    },
  );
});
