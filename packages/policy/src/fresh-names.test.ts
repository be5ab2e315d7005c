import { expect, it } from "vitest";
import { FreshNames } from "./fresh-names.js";

const names = (...taken: string[]) => new FreshNames((name) => taken.includes(name));

it("names are after what they are made of, and never one that a graph has or that was given before", () => {
  const fresh = names("x", "x·scaled");
  expect([fresh.after("x·scaled"), fresh.after("x·scaled"), fresh.after("y")]).toEqual([
    "x·scaled·",
    "x·scaled··",
    "y",
  ]);
});

it("numbers leave out what a graph has", () => {
  const fresh = names("part·1");
  expect([fresh.numbered("part"), fresh.numbered("part"), fresh.numbered("part")]).toEqual([
    "part·0",
    "part·2",
    "part·3",
  ]);
});
