import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { parameter } from "../testing/graphs.js";
import { greatestSize } from "./greatest-size.js";

const width = 4;

/** The greatest sequence length of a graph that adds these rows to those of its tokens, in a call with a full mask. */
function greatestOf(rows: (g: GraphBuilder, ids: Value) => Value): number | undefined {
  const g = new GraphBuilder();
  const ids = g.input("ids", "int64", ["batch", "sequence"]);
  const words = g.gather(g.weight("words", parameter(1000, width)), ids, 0);
  g.output("y", g.add(words, rows(g, ids)), "float32", ["batch", "sequence", width]);
  return greatestSize(g.build(), "sequence", new Map([["ids", 4]]));
}

const table = (g: GraphBuilder, rows: number): Value => g.weight("table", parameter(rows, width));
const length = (g: GraphBuilder, ids: Value): Value => g.squeeze(g.shape(ids, 1, 2), [0]);
const counted = (g: GraphBuilder, limit: Value): Value =>
  g.node("Range", [g.integer(0), limit, g.integer(1)]);

describe("a sequence is at most as long as", () => {
  it("the table in which its positions are looked up", () => {
    expect(greatestOf((g, ids) => g.gather(table(g, 50), counted(g, length(g, ids)), 0))).toBe(50);
  });

  it("the rest of the table from the first position on", () => {
    const behindPadding = (g: GraphBuilder, ids: Value): Value =>
      g.gather(table(g, 50), g.add(counted(g, length(g, ids)), g.integer(2)), 0);
    expect(greatestOf(behindPadding)).toBe(48);
  });

  it("the table from which that many rows are sliced", () => {
    const cut = (g: GraphBuilder, ids: Value): Value =>
      g.node("Slice", [table(g, 50), g.integers([0]), g.shape(ids, 1, 2), g.integers([0])]);
    expect(greatestOf(cut)).toBe(50);
  });

  it("the table with that many rows left up to its end, even though a single row beyond that would broadcast", () => {
    const left = (g: GraphBuilder, ids: Value): Value => {
      const start = g.sub(g.integers([50]), g.shape(ids, 1, 2));
      return g.node("Slice", [table(g, 50), start, g.integers([50]), g.integers([0])]);
    };
    expect(greatestOf(left)).toBe(50);
  });

  it("the table from which that many rows are sliced, counted from its end", () => {
    const last = (g: GraphBuilder, ids: Value): Value =>
      g.node("Slice", [
        table(g, 50),
        g.node("Neg", [g.shape(ids, 1, 2)]),
        g.integers([2 ** 31 - 1]),
        g.integers([0]),
      ]);
    expect(greatestOf(last)).toBe(50);
  });

  it("the table for positions that count tokens without padding", () => {
    const positions = (g: GraphBuilder, ids: Value): Value => {
      const tokens = g.cast(g.node("Not", [g.node("Equal", [ids, g.integer(1)])]), "int64");
      return g.add(g.mul(g.node("CumSum", [tokens, g.integer(1)]), tokens), g.integer(1));
    };
    // Rows 0 and 1 are for padding, which leaves 48 of 50 rows.
    expect(greatestOf((g, ids) => g.gather(table(g, 50), positions(g, ids), 0))).toBe(48);
  });

  it("any number, if a table is sliced up to its end", () => {
    const last = (g: GraphBuilder, ids: Value): Value => {
      const count = g.node("Min", [g.shape(ids, 1, 2), g.integers([50])]);
      const rows = g.node("Slice", [
        table(g, 50),
        g.sub(g.integers([50]), count),
        g.integers([50]),
        g.integers([0]),
      ]);
      return g.reduceSumSquare(g.unsqueeze(rows, [0]), [1]);
    };
    expect(greatestOf(last)).toBeUndefined();
  });

  it("any number, without such a table", () => {
    const computed = (g: GraphBuilder, ids: Value): Value =>
      g.unsqueeze(g.cast(counted(g, length(g, ids)), "float32"), [1]);
    expect(greatestOf(computed)).toBeUndefined();
  });

  it("any number, if the looked-up rows do not depend on the length", () => {
    expect(greatestOf((g) => g.gather(table(g, 50), g.integers([3]), 0))).toBeUndefined();
  });

  it("any number, if positions also depend on another size", () => {
    const shifted = (g: GraphBuilder, ids: Value): Value => {
      const batch = g.squeeze(g.shape(ids, 0, 1), [0]);
      return g.gather(table(g, 500), g.add(counted(g, length(g, ids)), batch), 0);
    };
    expect(greatestOf(shifted)).toBeUndefined();
  });

  it("any number, if positions depend on more elements than are propagated", () => {
    const chosen = (g: GraphBuilder, ids: Value): Value => {
      const all = g.node("NonZero", [g.add(counted(g, length(g, ids)), g.integer(1))]);
      return g.unsqueeze(g.cast(g.squeeze(all, [0]), "float32"), [1]);
    };
    expect(greatestOf(chosen)).toBeUndefined();
  });
});

it("the size with empty caches is used", () => {
  const g = new GraphBuilder();
  const ids = g.input("ids", "int64", ["batch", "sequence"]);
  const kept = g.input("kept", "float32", ["batch", "past", width]);
  g.input("kept positions", "int64", ["batch", "past"]);
  const total = g.squeeze(g.add(g.shape(kept, 1, 2), g.shape(ids, 1, 2)), [0]);
  const all = g.node("Range", [g.squeeze(g.shape(kept, 1, 2), [0]), total, g.integer(1)]);
  const rows = g.gather(g.weight("table", parameter(50, width)), all, 0);
  const words = g.add(g.gather(g.weight("words", parameter(1000, width)), ids, 0), rows);
  g.output("present", g.concat([kept, words], 1), "float32", ["batch", "total", width]);
  const cached: Graph = {
    ...g.build(),
    caches: [{ positions: "kept positions", states: [{ past: "kept", present: "present", axis: 1 }] }],
  };
  expect(greatestSize(cached, "sequence", new Map())).toBe(50);
});
