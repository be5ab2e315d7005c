import { describePrecision } from "../precision/precision.js";
import type { PolicyData, Prediction, UnruledOperator, WeightPlacement } from "./partition-policy.js";

/** What was sharded, into what, and why: one line a factor. */
export function shortTable(policy: PolicyData): string {
  const rows = policy.factors.map((factor) => [
    factor.group === 1
      ? `${factor.units} ${factor.label}`
      : `${factor.units} × ${factor.group} ${factor.label}`,
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

/** The short table, then every weight, equal ones of different layers in one line. */
export function table(policy: PolicyData): string {
  const groups = new Map<string, { names: string[]; placement: WeightPlacement }>();
  for (const [name, placement] of Object.entries(policy.weights)) {
    const key = JSON.stringify([placement, common([name])]);
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
      `${predicted.step}: ${predicted.allReducesPerToken} all-reduces${gathers(predicted.allGathersPerToken)}, ` +
        `${formatBytes(predicted.collectiveBytesPerToken)} from each rank`,
    );
  }
  for (const one of policy.unruled) lines.push(unruledLine(one, predicted));
  return lines;
}

function inPrecision({ precision }: PolicyData): string {
  return precision.weights === "float32" ? "" : `, ${describePrecision(precision)}`;
}

function gathers(count: number): string {
  return count === 0 ? "" : `, ${count} all-gathers`;
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

/** Names that differ only in numbers: the numbers become `#`, but for the bits of quantized weights. */
function common(names: readonly string[]): string {
  return names[0]!.replaceAll(/(?<!·int)\d+/g, "#");
}

/** `4 each`, or what every rank has: `2+2+1+1`. */
function units(perRank: readonly number[]): string {
  const first = perRank[0]!;
  return perRank.every((one) => one === first) ? `${first} each` : perRank.join("+");
}

function distinct(values: readonly string[]): string {
  const first = values[0]!;
  return values.every((value) => value === first) ? first : values.join(", ");
}

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
