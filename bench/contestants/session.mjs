import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { unsplitGraph } from "../onnx/unsplit-graph.mjs";
import { CacheRows } from "./cache-rows.mjs";
import { ahead } from "./decode-turns.mjs";
import { growth, tokenIds } from "./prompts.mjs";

/**
 * The baseline on the same cores: the graph that Ringrank splits, in one ONNX Runtime session with one thread per core.
 * The loop is as fast as the public interface allows: the past is fed in place, and only new rows and logits are
 * fetched.
 *
 * @param options.onnx the directory to which `writeOnnx` wrote the graph
 * @param options.threads default: one per core
 */
export async function open({ checkpoint, precision, onnx, threads = availableParallelism() }) {
  const graph = unsplitGraph(checkpoint, precision);
  const session = await ort.InferenceSession.create(join(onnx, "model.onnx"), {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const vocabulary = graph.outputs.find(({ name }) => name === "logits").dims[1];
  let running;

  /** Runs `ids` after the cache's rows and returns the most likely next token. */
  async function step(cache, ids) {
    const count = ids.length;
    const outputs = await session.run({
      ...cache.feeds,
      input_ids: integers(ids, [1, count]),
      attention_mask: integers(Array(count).fill(1), [1, count]),
      position_ids: integers(
        ids.map((_, i) => cache.length + i),
        [1, count],
      ),
      logit_rows: integers([count - 1], [1]),
    });
    cache.append(outputs, count);
    return likeliest(outputs.logits.data);
  }

  return {
    facts: { threads },

    /** Milliseconds from a prompt of `tokens` to its first new token. */
    async prefill(tokens) {
      const ids = tokenIds(tokens, vocabulary);
      const start = performance.now();
      await step(new CacheRows(graph, ort), ids);
      return performance.now() - start;
    },

    /** Milliseconds per token of `tokens` steps, after `context` tokens. */
    async decode(context, tokens) {
      if (running?.context !== context || running.cache.length + ahead + tokens > context + growth) {
        running = { context, cache: new CacheRows(graph, ort), next: 16 };
        running.cache.fill(context);
        running.next = await step(running.cache, [running.next]);
      }
      const go = async (steps) => {
        for (let i = 0; i < steps; i++) running.next = await step(running.cache, [running.next]);
      };
      await go(ahead);
      const start = performance.now();
      await go(tokens);
      return (performance.now() - start) / tokens;
    },

    async close() {
      await session.release();
    },
  };
}

function integers(values, dims) {
  return new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);
}

function likeliest(logits) {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}
