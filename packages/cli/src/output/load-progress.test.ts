import type { Progress } from "@ringrank/coordinator";
import { beforeEach, expect, onTestFinished, test, vi } from "vitest";
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

/** What is written while loading, with the duration replaced. */
function written(stream: { readonly isTTY?: boolean; readonly columns?: number }, ranks = 2): string {
  let text = "";
  const progress = new LoadProgress({ ...stream, write: (part) => (text += part) }, ranks);
  for (const report of reports) progress.report(report);
  return text.replace(/[\d.]+ s/, "T s");
}

test("writes one line per phase to a file", () => {
  expect(written({})).toBe(
    "planning the partition …\nloading weights: 2 ranks …\nloaded 400 B on 2 ranks in T s\n",
  );
});

test("writes the same to a dumb terminal as to a file", () => {
  vi.stubEnv("TERM", "dumb");
  expect(written({ isTTY: true, columns: 80 })).toBe(written({}));
});

test("uses the singular for one rank", () => {
  expect(written({}, 1)).toMatch(/ weights: 1 rank …\n.* on 1 rank in T s\n$/);
});

test("updates one line on a terminal", () => {
  const lines = written({ isTTY: true, columns: 80 }).split("\r\u001b[K").slice(1);
  expect(lines).toEqual([
    "planning the partition …",
    "loading weights: rank 1 25%",
    "loading weights: rank 0 100%, rank 1 25%",
    "loading weights: rank 0 100%, rank 1 99%",
    "loaded 400 B on 2 ranks in T s\n",
  ]);
});

test("keeps the line shorter than the terminal, so that it can be erased", () => {
  const lines = written({ isTTY: true, columns: 20 }).split("\r\u001b[K");
  expect(lines).toContain("loading weights: ra");
});

test("keeps to 80 columns on a terminal of unknown width", () => {
  expect(written({ isTTY: true, columns: 0 })).toBe(written({ isTTY: true, columns: 80 }));
});

test("counts a rank without weights as loaded", () => {
  let text = "";
  const progress = new LoadProgress({ isTTY: true, columns: 80, write: (part) => (text += part) }, 2);
  progress.report({ phase: "load", rank: 1, bytesLoaded: 0, bytesTotal: 0 });
  expect(text).toContain("rank 1 100%");
});

test("erases an unfinished line from a terminal", () => {
  let text = "";
  const progress = new LoadProgress({ isTTY: true, write: (part) => (text += part) }, 2);
  progress.report(reports[0]!);
  progress.clear();
  expect(text.endsWith("\r\u001b[K")).toBe(true);
});

test("says how many seconds loading took", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  let text = "";
  const progress = new LoadProgress({ write: (part) => (text += part) }, 2);
  vi.advanceTimersByTime(1500);
  progress.report(reports.at(-1)!);
  expect(text).toBe("loaded 400 B on 2 ranks in 1.50 s\n");
});
