import { elementCount } from "@ringrank/model/weights";
import { fromFront } from "../../graph/axis.js";
import { hasContents } from "../evaluated.js";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";

/** `data[…, n, …]` with indices of any shape, which replaces the axis. */
const gather: ShapeRule = (node) => {
  const data = node.input(0);
  const indices = node.input(1);
  const axis = node.axis(node.int("axis", 0), data.dims.length);
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)];
  const { type } = data;
  if (!indices.contents || !hasContents(type, dims) || !data.contents) return [{ type, dims }];
  const size = data.dims[axis]!;
  const inner = elementCount(data.dims.slice(axis + 1));
  const rows = indices.contents.map((index) => wrapIndex(node, index, size) * inner);
  const contents: number[] = [];
  for (let outer = 0; outer < data.contents.length; outer += size * inner) {
    for (const row of rows) contents.push(...data.contents.slice(outer + row, outer + row + inner));
  }
  return [{ type, dims, contents }];
};

function wrapIndex(node: NodeContext, index: number, size: number): number {
  const wrapped = fromFront(index, size);
  return Number.isInteger(wrapped) && wrapped >= 0 && wrapped < size
    ? wrapped
    : node.fail(`indices from ${-size} to ${size - 1}, not ${index}`);
}

const gatherElements: ShapeRule = (node) => {
  const [data, indices] = [node.dims(0), node.dims(1)];
  if (data.length !== indices.length) node.fail("data and indices of the same rank");
  node.axis(node.int("axis", 0), data.length);
  return [{ type: node.type(0), dims: indices }];
};

/**
 * Indices `[batch…, …, k]` select along k axes of the data after its batch axes: `batch… + … + the data's other axes`.
 */
const gatherND: ShapeRule = (node) => {
  const [data, indices] = [node.dims(0), node.dims(1)];
  const batch = node.int("batch_dims", 0);
  const chosen = indices.at(-1) ?? node.fail("indices of at least one axis");
  if (batch >= indices.length || batch + chosen > data.length) {
    node.fail(`indices that choose at most ${data.length} axes after ${batch} batch axes`);
  }
  return [{ type: node.type(0), dims: [...indices.slice(0, -1), ...data.slice(batch + chosen)] }];
};

/** Writes `updates` into a copy of `data`. Contents are not propagated with a reduction other than none. */
const scatterND: ShapeRule = (node) => {
  const [data, indices, updates] = [node.input(0), node.input(1), node.input(2)];
  const { type, dims } = data;
  const depth = indices.dims.at(-1) ?? node.fail("indices of at least one axis");
  const expected = [...indices.dims.slice(0, -1), ...dims.slice(depth)];
  if (depth > dims.length || `${updates.dims}` !== `${expected}`) node.fail(`updates of shape [${expected}]`);
  const known = data.contents && indices.contents && updates.contents;
  if (!known || node.string("reduction", "none") !== "none") return [{ type, dims }];
  const contents = [...data.contents];
  const run = elementCount(dims.slice(depth));
  for (let from = 0, at = 0; from < updates.contents.length; from += run, at += depth) {
    let row = 0;
    for (let axis = 0; axis < depth; axis++) {
      row = row * dims[axis]! + wrapIndex(node, indices.contents[at + axis]!, dims[axis]!);
    }
    for (let i = 0; i < run; i++) contents[row * run + i] = updates.contents[from + i]!;
  }
  return [{ type, dims, contents }];
};

const scatterElements: ShapeRule = (node) => {
  if (`${node.dims(1)}` !== `${node.dims(2)}`) node.fail("indices and updates of the same shape");
  return [{ type: node.type(0), dims: node.dims(0) }];
};

/** Operators that read or write by index. */
export const indexingRules: ShapeRules = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterND: scatterND,
  ScatterElements: scatterElements,
  Scatter: scatterElements,
};
