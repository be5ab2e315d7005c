import { describe, expect, it } from "vitest";
import { checkpointDecisions, exportDecisions } from "../support/decisions.js";
import { fixtureExports } from "../support/onnx-exports.js";

/**
 * Tables of positions or distances that an export keeps whole but the checkpoint's own graph shards. Four of them save
 * less than the 5% that predicted time may cost: an export holds the word embeddings twice (as they are, and transposed
 * for the logits), so the tables are a smaller share of it. DeBERTa's is sliced with bounds that its export computes.
 */
const smallTables: ReadonlySet<string> = new Set([
  "model.decoder.embed_positions.weight",
  "albert.embeddings.position_embeddings.weight",
  "electra.embeddings.position_embeddings.weight",
  "transformer.positions_embed.weight",
  "deberta.encoder.rel_embeddings.weight",
]);

/** Both exporters' files of a model agree with the checkpoint, so they also agree with each other. */
describe.each(fixtureExports())("$name", (exported) => {
  const decisions = exportDecisions(exported);

  it.each([2, 3])(
    "splits each tensor on %i ranks along the same axis and in the same shares as the checkpoint's own graph",
    (ranks) => {
      const decided = decisions(ranks);
      const expected = checkpointDecisions(exported.reference)(ranks);
      // Only matrices are compared: smaller tensors cannot be told apart by their bytes.
      expect(decided.size).toBeGreaterThanOrEqual(9);
      for (const [tensor, decision] of decided) {
        if (!smallTables.has(tensor))
          expect(`${tensor} ${decision}`).toBe(`${tensor} ${expected.get(tensor)}`);
      }
    },
  );
});
