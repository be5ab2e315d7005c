import { loadModel } from "@ringrank/coordinator";
import { DecodeTurns } from "./decode-turns.mjs";
import { growth, tokenIds } from "./prompts.mjs";

/**
 * Ringrank itself, through its public interface.
 *
 * @param options.load the options of `loadModel`: ranks, threadsPerRank, precision, …
 */
export async function open({ checkpoint, load }) {
  const model = await loadModel(checkpoint, load);
  const generate = (tokens, maxNewTokens) =>
    model.generate(tokenIds(tokens, model.vocabSize), { temperature: 0, ignoreEos: true, maxNewTokens });
  const turns = new DecodeTurns((context) => generate(context, 2 * growth)[Symbol.asyncIterator]());

  return {
    facts: { bytesInMemory: model.memory().map(({ bytesInMemory }) => bytesInMemory) },

    /** Milliseconds from a prompt of `tokens` to its first new token. */
    async prefill(tokens) {
      const start = performance.now();
      await generate(tokens, 1).result;
      return performance.now() - start;
    },

    decode: (context, tokens) => turns.take(context, tokens),

    async close() {
      await turns.end();
      await model.close();
    },
  };
}
