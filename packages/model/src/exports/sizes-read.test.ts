import { expect, it } from "vitest";
import type { GraphNode } from "../graph/index.js";
import { sizesRead } from "./sizes-read.js";

const node = (
  opType: string,
  inputs: readonly string[],
  attributes: Record<string, number> = {},
): GraphNode => ({
  opType,
  domain: "",
  inputs,
  outputs: ["y"],
  attributes: Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { kind: "int", value } as const]),
  ),
});
const constants: Readonly<Record<string, readonly number[]>> = { zero: [0], one: [1], last: [-1] };
const read = (shape: GraphNode, ...readers: readonly GraphNode[]) =>
  sizesRead(shape, readers, (name) => constants[name]);

it.each<[string, readonly number[] | undefined, readonly number[] | undefined]>([
  ["those in its range", read(node("Shape", ["x"], { start: 1, end: 3 }), node("Concat", ["y"])), [1, 2]],
  [
    "those that its readers pick",
    read(node("Shape", ["x"]), node("Gather", ["y", "zero"]), node("Gather", ["y", "one"])),
    [0, 1],
  ],
  [
    "those picked, counted from its start",
    read(node("Shape", ["x"], { start: 1 }), node("Gather", ["y", "one"])),
    [2],
  ],
  ["unknown if a reader takes all", read(node("Shape", ["x"]), node("Concat", ["y"])), undefined],
  [
    "unknown if an index counts from the end",
    read(node("Shape", ["x"]), node("Gather", ["y", "last"])),
    undefined,
  ],
  [
    "unknown if its start counts from the end",
    read(node("Shape", ["x"], { start: -2 }), node("Gather", ["y", "zero"])),
    undefined,
  ],
  [
    "those that its readers pick if it ends beyond the last axis",
    read(node("Shape", ["x"], { start: 1, end: Number.MAX_SAFE_INTEGER }), node("Gather", ["y", "zero"])),
    [1],
  ],
  ["unknown if an index is computed", read(node("Shape", ["x"]), node("Gather", ["y", "z"])), undefined],
  [
    "unknown if it ends before the last axis",
    read(node("Shape", ["x"], { end: -1 }), node("Concat", ["y"])),
    undefined,
  ],
])("the axes of interest in a Shape are %s", (_, axes, expected) => {
  expect(axes).toEqual(expected);
});
