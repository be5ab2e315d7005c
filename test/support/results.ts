import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PartitionPolicy } from "@ringrank/policy";
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
  /** Of an export: bytes that the fullest rank is spared, as a share of what a split by names spares it. */
  readonly ofPerfect?: number;
}

/**
 * Writes down what a conformance test measured, where `RINGRANK_RESULTS` names a directory: docs/architectures.md
 * and docs/onnx-exports.md are made from it.
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
