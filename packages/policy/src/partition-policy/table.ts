import { describePrecision } from "../precision/precision.js";
import type {
  FactorDecision,
  PolicyData,
  Prediction,
  UnruledOperator,
  WeightPlacement,
} from "./partition-policy.js";

/** What is sharded, how, and why: one line per factor. */
export function shortTable(policy: PolicyData): string {
  const rows = policy.factors.map((factor) => [
    `${dealt(factor)} ${factor.label}`,
    factor.sharded ? units(factor.perRank) : "whole",
    factor.count === 1 ? "once" : `${factor.count}×`,
    formatBytes(factor.bytes),
    factor.reason,
  ]);
  return [
    ...align([["factor", "per rank", "occurs", "weights", "why"], ...rows]),
    "",
    ...summary(policy),
  ].join("\n");
}

/** The short table, followed by every weight. Equal weights of different layers share a line. */
export function table(policy: PolicyData): string {
  const groups = new Map<string, { names: string[]; placement: WeightPlacement }>();
  for (const [name, placement] of Object.entries(policy.weights)) {
    const key = JSON.stringify([placement, split(name).words]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { names: [name], placement });
    else known.names.push(name);
  }
  const rows = [...groups.values()].map(({ names, placement }) => [
    names.length === 1 ? names[0]! : `${common(names)} (${names.length})`,
    placement.structure,
    placement.placement,
    shares(placement),
    placement.reason,
  ]);
  return [
    shortTable(policy),
    "",
    ...align([["weight", "factors", "placement", "share", "why"], ...rows]),
  ].join("\n");
}

function summary(policy: PolicyData): string[] {
  const { bytesPerRank, totalBytes, predicted } = policy;
  const fullest = Math.max(...bytesPerRank);
  const lines = [
    `weights: ${formatBytes(totalBytes)} in all${inPrecision(policy)}; per rank ` +
      `${distinct(bytesPerRank.map(formatBytes))} (at most ${percent(fullest / totalBytes)})`,
  ];
  if (policy.ranks > 1) {
    lines.push(
      `${predicted.step}: ${several(predicted.allReducesPerToken, "all-reduce")}${gathers(predicted.allGathersPerToken)}, ` +
        `${formatBytes(predicted.collectiveBytesPerToken)} from each rank`,
    );
  }
  for (const one of policy.unruled) lines.push(unruledLine(one, predicted));
  return lines;
}

/**
 * The type in which the bytes are counted. Empty for a file that brings types of its own, which the sizes of its
 * weights already show.
 */
function inPrecision({ precision, weights, totalBytes }: PolicyData): string {
  const floats = Object.values(weights).filter(({ type }) => type === "float32");
  const bytes = floats.reduce((sum, weight) => sum + weight.bytes, 0);
  if (precision.weights === "float32") return bytes === totalBytes ? ", in float32" : "";
  // Scales and norms are at most a fifth. If most bytes are floats, the matrices are of a kind that is not quantized.
  const stay = bytes > totalBytes / 2 ? `, but ${formatBytes(bytes)} of it float32` : "";
  return `, ${describePrecision(precision)}${stay}`;
}

function gathers(count: number): string {
  return count === 0 ? "" : `, ${several(count, "all-gather")}`;
}

function several(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function unruledLine(
  { operator, node, weightBytes, gatheredBytes, lift }: UnruledOperator,
  { step }: Prediction,
): string {
  return (
    `no rule for ${operator} (${node}), so it runs on whole tensors: ${formatBytes(gatheredBytes)} ` +
    `gathered for ${step}, ${formatBytes(weightBytes)} of weights on every rank; ${lift} would lift that`
  );
}

function shares({ bytesPerRank, bytes }: WeightPlacement): string {
  return percent(Math.max(...bytesPerRank) / bytes);
}

/** The name that weights of different layers share: `#` stands for numbers that differ. */
function common(names: readonly string[]): string {
  const [first, ...others] = names.map(split);
  const numbers = first!.numbers.map((number, at) =>
    others.every((other) => other.numbers[at] === number) ? number : "#",
  );
  return first!.words.map((word, at) => word + (numbers[at] ?? "")).join("");
}

/** A name, taken apart at its numbers. The bits of quantized weights are no numbers that may differ. */
function split(name: string): { readonly words: readonly string[]; readonly numbers: readonly string[] } {
  const number = /(?<!·int)\d+/g;
  return { words: name.split(number), numbers: name.match(number) ?? [] };
}

/** The units that are dealt to ranks: `4`; units of 2, `4 × 2`; units that ranks share, of 8 pieces each, `4·8`. */
function dealt({ units, group, within }: FactorDecision): string {
  return `${units}${within === 1 ? "" : `·${within}`}${group === 1 ? "" : ` × ${group}`}`;
}

/** `4 each`, or the units of every rank: `2+2+1+1`. */
function units(perRank: readonly number[]): string {
  const first = perRank[0]!;
  if (perRank.every((one) => one === first)) return `${first} each`;
  return perRank.length > mostListed ? tally(perRank.map(String)) : perRank.join("+");
}

function distinct(values: readonly string[]): string {
  const first = values[0]!;
  if (values.every((value) => value === first)) return first;
  return values.length > mostListed ? tally(values) : values.join(", ");
}

/** How many ranks a line lists one by one. */
const mostListed = 8;

/** How many ranks have each value, in order of appearance: `2 on 9 ranks, 1 on 7`. */
function tally(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [[first, count] = ["", 0], ...others] = [...counts];
  return [
    `${first} on ${count} ${count === 1 ? "rank" : "ranks"}`,
    ...others.map(([value, ranks]) => `${value} on ${ranks}`),
  ].join(", ");
}

/** In decimal units: `2.10 MB`, `14.2 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}
