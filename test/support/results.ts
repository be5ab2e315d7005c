import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "@ringrank/coordinator";
import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";

/** One architecture on one number of ranks, as a test saw it. */
export interface SplitResult {
  readonly name: string;
  readonly ranks: number;
  /** Largest error of the logits, as a share of their standard deviation. */
  readonly error: number;
  /** What the policy sharded: units and what they are. */
  readonly sharded: readonly string[];
  readonly allReduces: number;
  /** Weight bytes of the fullest rank, as a share of the whole. */
  readonly share: number;
}

/**
 * Writes down what a conformance test measured, where `RINGRANK_RESULTS` names a directory: docs/architectures.md
 * is made from it.
 */
export function recordSplit(name: string, { policy, ranks }: Model, error: number): void {
  const directory = process.env.RINGRANK_RESULTS;
  if (directory === undefined) return;
  const result: SplitResult = {
    name,
    ranks,
    error,
    sharded: policy.factors.filter(({ sharded }) => sharded).map(({ units, label }) => `${units} ${label}`),
    allReduces: policy.collectives.length,
    share: Math.max(...policy.bytesPerRank) / policy.totalBytes,
  };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name}-${ranks}.json`), JSON.stringify(result));
}

export function relativeError(received: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - received[i]!)), 0);
  return largest / standardDeviation(expected);
}
