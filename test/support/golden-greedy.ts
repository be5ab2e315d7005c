import { readFileSync } from "node:fs";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";

/** Tokens that transformers chose greedily, one after the other, for the first row of a zoo checkpoint's inputs. */
export interface GoldenGreedy {
  /** What it began with: of an encoder–decoder, what the decoder did. */
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** By token: how far the best two logits lay apart. */
  readonly gaps: readonly number[];
}

export function readGoldenGreedy(name: string): GoldenGreedy {
  const { greedy_prompt, greedy, greedy_top2_gap } = JSON.parse(
    readFileSync(`${zooDirectory(name)}/golden.json`, "utf8"),
  ) as Record<string, number[]>;
  return { prompt: greedy_prompt!, ids: greedy!, gaps: greedy_top2_gap! };
}
