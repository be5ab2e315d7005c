import type { LoadProgress } from "@ringrank/rank-worker";
import { expect, it } from "vitest";
import { growingProgress } from "./growing-progress.js";

it("passes on the reports of each rank, but for those that arrive when the rank is known to have read more", () => {
  const passed: LoadProgress[] = [];
  const report = growingProgress((progress) => passed.push(progress));
  const progressOf = (rank: number, bytesLoaded: number) => ({ rank, bytesLoaded, bytesTotal: 30 });
  const news = [progressOf(0, 10), progressOf(1, 10), progressOf(0, 30), progressOf(1, 20)];
  const late = [progressOf(0, 20), progressOf(0, 30)];
  for (const progress of [...news, ...late]) report(progress);
  expect(passed).toEqual(news);
});
