import { mkdirSync, rmSync } from "node:fs";
import { ContestantProcess } from "../measure/contestant-process.mjs";
import { intoPageCache } from "../measure/page-cache.mjs";

/**
 * Loads in turns, each in a process of its own: the first, of which nothing is kept yet, and the second, which finds
 * what the first has kept. All that they read is in the system's page cache.
 *
 * @param contestant `module` and `options`, as `open` takes them
 * @param caches a folder for what is kept
 * @returns milliseconds of each, by turn: `{ first, second }`
 */
export async function loadTurns({ module, options }, { checkpoint, caches, turns }) {
  const samples = { first: [], second: [] };
  for (let turn = 0; turn < turns; turn++) {
    mkdirSync(caches, { recursive: true });
    for (const [load, read] of [
      ["first", checkpoint],
      ["second", caches],
    ]) {
      await intoPageCache(read);
      samples[load].push(await loadOnce(module, options, caches));
    }
    rmSync(caches, { recursive: true });
  }
  return samples;
}

async function loadOnce(module, options, caches) {
  const contestant = new ContestantProcess(caches);
  try {
    const { loadMilliseconds } = await contestant.call("open", [module, options]);
    await contestant.close();
    return loadMilliseconds;
  } finally {
    contestant.end();
  }
}
