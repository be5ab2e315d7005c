import { loadModel } from "@ringrank/coordinator";
import { growth, tokenIds } from "./prompts.mjs";

/** Tokens at the beginning of a turn that were made before it began. */
const ahead = 3;

/**
 * Ringrank itself, through its public face.
 *
 * @param options.load what `loadModel` takes: ranks, threadsPerRank, precision, …
 */
export async function open({ checkpoint, load }) {
  const model = await loadModel(checkpoint, load);
  /** The generation that decode turns go on with. */
  let running;

  async function begin(context) {
    await running?.tokens.return();
    const ids = tokenIds(context, model.vocabSize);
    const tokens = model
      .generate(ids, { temperature: 0, ignoreEos: true, maxNewTokens: 2048 })
      [Symbol.asyncIterator]();
    running = { context, tokens, grown: 1 };
    await tokens.next();
  }

  return {
    facts: { bytesKept: model.memory().map(({ bytesKept }) => bytesKept) },

    /** Milliseconds from a prompt of `tokens` to its first new token. */
    async prefill(tokens) {
      const start = performance.now();
      const { result } = model.generate(tokenIds(tokens, model.vocabSize), {
        temperature: 0,
        ignoreEos: true,
        maxNewTokens: 1,
      });
      await result;
      return performance.now() - start;
    },

    /** Milliseconds a token of `tokens` steps, behind a prompt of `context` tokens. */
    async decode(context, tokens) {
      if (running?.context !== context || running.grown + tokens > growth) await begin(context);
      running.grown += ahead + tokens;
      for (let i = 0; i < ahead; i++) await running.tokens.next();
      const start = performance.now();
      for (let i = 0; i < tokens; i++) await running.tokens.next();
      return (performance.now() - start) / tokens;
    },

    async close() {
      await running?.tokens.return();
      await model.close();
    },
  };
}
