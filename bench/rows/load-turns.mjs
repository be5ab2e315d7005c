import { mkdirSync, rmSync } from "node:fs";
import { ContestantProcess } from "../measure/contestant-process.mjs";
import { intoPageCache } from "../measure/page-cache.mjs";

/**
 * Times loads in turns, each in a separate process: the first, for which nothing is cached yet, and the second, which
 * finds what the first has cached. All files that they read are in the system's page cache.
 *
 * @param contestant `module` and `options`, as for `open`
 * @param caches a directory for what is cached
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
