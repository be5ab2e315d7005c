import type { Progress } from "@ringrank/coordinator";
import { beforeEach, expect, test, vi } from "vitest";
import { LoadProgress } from "./load-progress.js";

const reports: readonly Progress[] = [
  { phase: "plan", rank: undefined, bytesLoaded: 0, bytesTotal: 0 },
  { phase: "load", rank: 1, bytesLoaded: 50, bytesTotal: 200 },
  { phase: "load", rank: 0, bytesLoaded: 200, bytesTotal: 200 },
  { phase: "load", rank: 1, bytesLoaded: 199, bytesTotal: 200 },
  { phase: "ready", rank: undefined, bytesLoaded: 400, bytesTotal: 400 },
];

beforeEach(() => {
  vi.stubEnv("TERM", "xterm");
  return () => vi.unstubAllEnvs();
});

/** What is written while loading, with the time it took replaced. */
function written(stream: { readonly isTTY?: boolean; readonly columns?: number }, ranks = 2): string {
  let text = "";
  const progress = new LoadProgress({ ...stream, write: (part) => (text += part) }, ranks);
  for (const report of reports) progress.report(report);
  return text.replace(/[\d.]+ s/, "T s");
}

test("a file gets one line for each phase", () => {
  expect(written({})).toBe(
    "planning the partition …\nloading weights: 2 ranks …\nloaded 400 B on 2 ranks in T s\n",
  );
});

test("a dumb terminal gets what a file gets", () => {
  vi.stubEnv("TERM", "dumb");
  expect(written({ isTTY: true, columns: 80 })).toBe(written({}));
});

test("one rank is not ranks", () => {
  expect(written({}, 1)).toMatch(/ weights: 1 rank …\n.* on 1 rank in T s\n$/);
});

test("a terminal gets one line that changes", () => {
  const lines = written({ isTTY: true, columns: 80 }).split("\r\u001b[K").slice(1);
  expect(lines).toEqual([
    "planning the partition …",
    "loading weights: rank 1 25%",
    "loading weights: rank 0 100%, rank 1 25%",
    "loading weights: rank 0 100%, rank 1 99%",
    "loaded 400 B on 2 ranks in T s\n",
  ]);
});

test("the line fits the terminal, so that it can be taken back", () => {
  const lines = written({ isTTY: true, columns: 20 }).split("\r\u001b[K");
  expect(lines).toContain("loading weights: ra");
});

test("an unfinished line is taken off a terminal", () => {
  let text = "";
  const progress = new LoadProgress({ isTTY: true, write: (part) => (text += part) }, 2);
  progress.report(reports[0]!);
  progress.clear();
  expect(text.endsWith("\r\u001b[K")).toBe(true);
});
