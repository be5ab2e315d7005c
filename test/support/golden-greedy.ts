import { readFileSync } from "node:fs";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";

/** The tokens that transformers chose greedily, in order, for the first row of a zoo checkpoint's inputs. */
export interface GoldenGreedy {
  /** The ids before them; for an encoder–decoder, those of the decoder. */
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** By token: the difference between the best two logits. */
  readonly gaps: readonly number[];
}

export function readGoldenGreedy(name: string): GoldenGreedy {
  const { greedy_prompt, greedy, greedy_top2_gap } = JSON.parse(
    readFileSync(`${zooDirectory(name)}/golden.json`, "utf8"),
  ) as Record<string, number[]>;
  return { prompt: greedy_prompt!, ids: greedy!, gaps: greedy_top2_gap! };
}
