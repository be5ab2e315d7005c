import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { growth, tokenIds } from "../contestants/prompts.mjs";

/** Tokens at the beginning of a turn that were made before it began. */
const ahead = 2;

/**
 * llama.cpp through node-llama-cpp, on the CPU, with the library's own defaults.
 *
 * @param options.gguf path
 * @param options.contexts the contexts that will be asked for
 */
export async function open({ gguf, threads, vocabulary, contexts }) {
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
  });
  const model = await llama.loadModel({ modelPath: gguf, gpuLayers: 0 });
  const context = await model.createContext({
    contextSize: Math.max(...contexts) + growth + 64,
    batchSize: 512,
    threads,
    sequences: 1,
  });
  const sequence = context.getSequence();
  let running;

  async function begin(tokens) {
    await running?.tokens.return();
    await sequence.clearHistory();
    const ids = tokenIds(tokens, vocabulary);
    running = { context: tokens, grown: 1, tokens: sequence.evaluate(ids, greedy)[Symbol.asyncIterator]() };
    await running.tokens.next();
  }

  return {
    facts: { threads },

    /** Milliseconds from a prompt of `tokens` to its first new token. */
    async prefill(tokens) {
      await running?.tokens.return();
      running = undefined;
      await sequence.clearHistory();
      const start = performance.now();
      const iterator = sequence.evaluate(tokenIds(tokens, vocabulary), greedy)[Symbol.asyncIterator]();
      await iterator.next();
      const time = performance.now() - start;
      await iterator.return();
      return time;
    },

    /** Milliseconds a token of `tokens` steps, behind a prompt of `tokensBefore` tokens. */
    async decode(tokensBefore, tokens) {
      if (running?.context !== tokensBefore || running.grown + tokens > growth) await begin(tokensBefore);
      running.grown += ahead + tokens;
      for (let i = 0; i < ahead; i++) await running.tokens.next();
      const start = performance.now();
      for (let i = 0; i < tokens; i++) await running.tokens.next();
      return (performance.now() - start) / tokens;
    },

    async close() {
      await running?.tokens.return();
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    },
  };
}

const greedy = { temperature: 0, yieldEogToken: true };
