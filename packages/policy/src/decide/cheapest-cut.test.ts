import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cheapestCut, type Flow } from "./cheapest-cut.js";

/** Edges such as `a b`, from each value to one that is computed from it. */
function flowOf(edges: readonly string[], sources: string, sinks: string): Flow {
  const next = new Map<string, string[]>();
  for (const edge of edges) {
    const [from, to] = edge.split(" ") as [string, string];
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  return { sources: new Set(sources), sinks: new Set(sinks), next };
}

const cutOf = (flow: Flow, costs: Readonly<Record<string, number>> = {}): string =>
  [...cheapestCut(flow, (value) => costs[value] ?? 1)].sort().join("");

describe("of the values between the sources and the sinks of sums, the cheapest cut is", () => {
  it("the last of several with the same cost", () => {
    expect(cutOf(flowOf(["a b", "b c"], "a", "c"))).toBe("c");
  });

  it("one that costs less than those after it", () => {
    expect(cutOf(flowOf(["a b", "b c"], "a", "c"), { b: 1, a: 2, c: 2 })).toBe("b");
  });

  it("the one from which several are computed", () => {
    expect(cutOf(flowOf(["a b", "b c", "b d", "b e"], "a", "cde"))).toBe("b");
  });

  it("the one to which several are added", () => {
    expect(cutOf(flowOf(["a c", "b c", "c d"], "ab", "d"))).toBe("d");
  });

  it("found separately for each connected part", () => {
    expect(cutOf(flowOf(["a b", "c d", "c e"], "ac", "bde"))).toBe("bc");
  });

  it("the source, if the sum is needed whole there", () => {
    expect(cutOf(flowOf([], "a", "a"))).toBe("a");
  });
});

it("as cheap as any set of values that separates them", () => {
  const names = [..."abcdefg"];
  const graph = fc.record({
    // Edges only lead from each value to later ones, as in a graph.
    edges: fc.uniqueArray(
      fc.tuple(fc.nat(6), fc.nat(6)).filter(([from, to]) => from < to),
      {
        selector: String,
        maxLength: 12,
      },
    ),
    sources: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
    sinks: fc.uniqueArray(fc.integer({ min: 2, max: 6 }), { minLength: 1, maxLength: 4 }),
    costs: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 7, maxLength: 7 }),
  });
  const property = fc.property(graph, ({ edges, sources, sinks, costs }) => {
    const named = (places: readonly number[]): string => places.map((place) => names[place]).join("");
    const flow = flowOf(
      edges.map(([from, to]) => `${names[from]} ${names[to]}`),
      named(sources),
      named(sinks),
    );
    const costOf = (value: string): number => costs[names.indexOf(value)]!;
    const total = (values: Iterable<string>): number =>
      [...values].reduce((sum, value) => sum + costOf(value), 0);
    const cut = cheapestCut(flow, costOf);
    expect(separates(flow, cut)).toBe(true);
    const subsets = Array.from({ length: 2 ** names.length }, (_, bits) =>
      names.filter((__, place) => (bits >> place) & 1),
    );
    const least = Math.min(...subsets.filter((one) => separates(flow, new Set(one))).map(total));
    expect(total(cut)).toBe(least);
  });
  fc.assert(property, { numRuns: 200, seed: 20 });
});

function separates({ sources, sinks, next }: Flow, cut: ReadonlySet<string>): boolean {
  const reached = new Set([...sources].filter((value) => !cut.has(value)));
  // This list grows during the loop.
  for (const value of reached)
    for (const other of next.get(value) ?? []) if (!cut.has(other)) reached.add(other);
  return ![...reached].some((value) => sinks.has(value));
}
