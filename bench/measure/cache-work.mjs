import { readFileSync } from "node:fs";

/**
 * The time that the KV cache takes in decode steps, from the trace (`loadModel(…, { trace })`) of a model that received
 * prompts one after another: attention over the cache and appending to it, on the slowest rank, since all others wait
 * for it.
 *
 * @returns milliseconds of each one-token step, by the length of the preceding prompt
 */
export function cacheWork(path) {
  const ranks = new Map();
  for (const step of stepsOf(path)) ranks.set(step.tid, [...(ranks.get(step.tid) ?? []), step.args]);
  const [first, ...others] = [...ranks.values()];
  const work = new Map();
  let prompt = 0;
  for (const [at, step] of first.entries()) {
    if (step.tokens > 1) {
      // A prompt is processed in chunks.
      prompt = (first[at - 1]?.tokens > 1 ? prompt : 0) + step.tokens;
      continue;
    }
    const times = [step, ...others.map((steps) => steps[at])].map((one) => one.attention_us + one.cache_us);
    work.set(prompt, [...(work.get(prompt) ?? []), Math.max(...times) / 1000]);
  }
  return work;
}

function stepsOf(path) {
  // The format allows a file to end without its bracket.
  const events = JSON.parse(readFileSync(path, "utf8").replace(/,\s*$/, "]"));
  return events.filter(({ cat, name }) => cat === "step" && name === "step");
}
