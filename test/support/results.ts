import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartitionPolicy } from "@ringrank/policy";
import { standardDeviation } from "../../packages/model/src/testing/fixtures.js";

/** The result of a test of one architecture on one number of ranks. */
export interface SplitResult {
  readonly name: string;
  readonly ranks: number;
  /** The largest error of the logits, relative to their standard deviation. */
  readonly error: number;
  /** What the policy sharded: numbers of units and their labels. */
  readonly sharded: readonly string[];
  readonly allReduces: number;
  /** The weight bytes of the fullest rank, relative to the whole. */
  readonly share: number;
  /**
   * For an export: the bytes that sharding saves on the fullest rank, relative to those that a split by names saves.
   */
  readonly ofPerfect?: number;
}

/**
 * Records what a conformance test measured, if `RINGRANK_RESULTS` names a directory: docs/architectures.md and
 * docs/onnx-exports.md are generated from it.
 */
export function recordSplit(
  name: string,
  { policy }: { readonly policy: PartitionPolicy },
  error: number,
  ofPerfect?: number,
): void {
  const directory = process.env.RINGRANK_RESULTS;
  if (directory === undefined) return;
  const result: SplitResult = {
    name,
    ranks: policy.ranks,
    error,
    sharded: policy.factors.filter(({ sharded }) => sharded).map(({ units, label }) => `${units} ${label}`),
    allReduces: policy.collectives.length,
    share: Math.max(...policy.bytesPerRank) / policy.totalBytes,
    ...(ofPerfect !== undefined && { ofPerfect }),
  };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name.replace("/", "-")}-${policy.ranks}.json`), JSON.stringify(result));
}

export function relativeError(received: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - received[i]!)), 0);
  return largest / standardDeviation(expected);
}
