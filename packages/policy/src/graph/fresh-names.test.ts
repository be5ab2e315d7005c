import { expect, it } from "vitest";
import { FreshNames } from "./fresh-names.js";

const names = (...taken: string[]) => new FreshNames((name) => taken.includes(name));

it("names are derived from given ones, and never equal a name of the graph or one created before", () => {
  const fresh = names("x", "x·scaled");
  expect([fresh.after("x·scaled"), fresh.after("x·scaled"), fresh.after("y")]).toEqual([
    "x·scaled·",
    "x·scaled··",
    "y",
  ]);
});

it("numbered names skip those of the graph", () => {
  const fresh = names("part·1");
  expect([fresh.numbered("part"), fresh.numbered("part"), fresh.numbered("part")]).toEqual([
    "part·0",
    "part·2",
    "part·3",
  ]);
});
