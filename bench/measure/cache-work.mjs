import { readFileSync } from "node:fs";

/**
 * What the KV cache costs in decode steps, by the trace (`loadModel(…, { trace })`) of a model that was given prompts
 * one after the other: attention over the cache and adding to it, of the rank that takes longest, since all others wait
 * for it.
 *
 * @returns milliseconds of each step of one token, by the length of the prompt that it comes behind
 */
export function cacheWork(path) {
  const ranks = new Map();
  for (const step of stepsOf(path)) ranks.set(step.tid, [...(ranks.get(step.tid) ?? []), step.args]);
  const [first, ...others] = [...ranks.values()];
  const work = new Map();
  let prompt = 0;
  for (const [at, step] of first.entries()) {
    if (step.tokens > 1) {
      // A prompt comes in chunks.
      prompt = (first[at - 1]?.tokens > 1 ? prompt : 0) + step.tokens;
      continue;
    }
    const times = [step, ...others.map((steps) => steps[at])].map((one) => one.attention_us + one.cache_us);
    work.set(prompt, [...(work.get(prompt) ?? []), Math.max(...times) / 1000]);
  }
  return work;
}

function stepsOf(path) {
  // The format lets a file end without its bracket.
  const events = JSON.parse(readFileSync(path, "utf8").replace(/,\s*$/, "]"));
  return events.filter(({ cat, name }) => cat === "step" && name === "step");
}
