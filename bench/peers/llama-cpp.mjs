import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { DecodeTurns } from "../contestants/decode-turns.mjs";
import { growth, tokenIds } from "../contestants/prompts.mjs";

/**
 * llama.cpp through node-llama-cpp, on the CPU, with the library's defaults.
 *
 * @param options.gguf path
 * @param options.contexts the contexts that will be requested
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
  /** There is a single sequence: a new one replaces the one before it. */
  async function evaluate(tokens) {
    await sequence.clearHistory();
    return sequence.evaluate(tokenIds(tokens, vocabulary), greedy)[Symbol.asyncIterator]();
  }
  const turns = new DecodeTurns(evaluate);

  return {
    facts: { threads },

    /** Milliseconds from a prompt of `tokens` to its first new token. */
    async prefill(tokens) {
      await turns.end();
      const start = performance.now();
      const stream = await evaluate(tokens);
      await stream.next();
      const time = performance.now() - start;
      await stream.return();
      return time;
    },

    decode: (context, tokens) => turns.take(context, tokens),

    async close() {
      await turns.end();
      await context.dispose();
      await model.dispose();
      await llama.dispose();
    },
  };
}

const greedy = { temperature: 0, yieldEogToken: true };
