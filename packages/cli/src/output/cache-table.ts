import type { CacheEntry } from "@ringrank/coordinator";
import { formatBytes } from "@ringrank/policy/decision";

/** Entries of the cache, with one line per load, the most recently used first, and their total. */
export function cacheTable(entries: readonly CacheEntry[], now: Date): string {
  const loads = [...groupBy(entries, loadOf).values()].sort((a, b) => lastUse(b) - lastUse(a));
  const rows = loads.map((shards) => {
    const { model, bits, worldSize } = shards[0]!;
    return [
      formatBytes(totalBytes(shards)),
      bits.map((count) => `int${count}`).join(" "),
      worldSize === undefined
        ? ""
        : `${shards.filter(({ rank }) => rank !== undefined).length} of ${worldSize}`,
      age(now.getTime() - lastUse(shards)),
      model ?? "(damaged; made again when used)",
    ];
  });
  const lines = [["size", "weights", "ranks", "used", "model"], ...rows];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
  return [...text, "", `${formatBytes(totalBytes(entries))} in all`].join("\n");
}

function loadOf({ path, model, bits, worldSize }: CacheEntry): string {
  return model === undefined ? path : JSON.stringify([model, bits, worldSize]);
}

export function totalBytes(entries: readonly CacheEntry[]): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}

function lastUse(entries: readonly CacheEntry[]): number {
  return Math.max(...entries.map(({ usedAt }) => usedAt.getTime()));
}

function age(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.floor(hours / 24)} days ago`;
}

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}
