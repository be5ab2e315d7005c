import type { Value } from "@ringrank/model";
import type { TestGraph } from "../test-graph.js";

export type Size = number | "batch" | "sequence";

/** A value whose sizes are known, except for those of a call. */
export interface Tensor {
  readonly value: Value;
  readonly dims: readonly Size[];
}

/** The inputs of an operator: two values, and numbers that determine choices. */
export interface Given {
  readonly g: TestGraph;
  readonly x: Tensor;
  readonly y: Tensor;
  readonly one: number;
  readonly two: number;
}

export type Apply = (given: Given) => Tensor;

/** The largest number of elements of a value, per position of batch and sequence. */
export const mostElements = 240;

export const mostAxes = 5;

export const float = (value: number) => ({ kind: "float", value }) as const;

export const pick = <T>(among: readonly T[], by: number): T => among[by % among.length]!;

export const product = (dims: readonly Size[]): number =>
  dims.reduce<number>((count, size) => (typeof size === "number" ? count * size : count), 1);

/** The value unchanged, if an operator cannot be applied. */
export const unchanged = ({ g, x }: Given): Tensor => ({ ...x, value: g.apply("Identity", [x.value]) });

/** An axis of known size, or undefined. */
export function staticAxis({ dims }: Tensor, by: number): number | undefined {
  const axes = dims.flatMap((size, axis) => (typeof size === "number" ? [axis] : []));
  return axes.length === 0 ? undefined : pick(axes, by);
}

/** Applies an operator along one axis of known size. */
export const along =
  (make: (given: Given, axis: number, size: number) => Tensor): Apply =>
  (given) => {
    const axis = staticAxis(given.x, given.one);
    return axis === undefined ? unchanged(given) : make(given, axis, given.x.dims[axis] as number);
  };

/** The sizes of two values broadcast together, or undefined. */
function broadcast(a: readonly Size[], b: readonly Size[]): Size[] | undefined {
  const rank = Math.max(a.length, b.length);
  const [one, other] = [a, b].map((dims) => [...Array<Size>(rank - dims.length).fill(1), ...dims]);
  const out: Size[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const [mine, its] = [one![axis]!, other![axis]!];
    if (mine !== its && mine !== 1 && its !== 1) return undefined;
    out.push(mine === 1 ? its : mine);
  }
  return product(out) > mostElements ? undefined : out;
}

/** Combines two values if they broadcast, else the first with a parameter that broadcasts to it, or with itself. */
export const together =
  (make: (g: TestGraph, x: Value, y: Value) => Value): Apply =>
  (given) => {
    const { g, x, y, one, two } = given;
    const dims = broadcast(x.dims, y.dims);
    if (dims !== undefined && !(x.dims.length === 0 && y.dims.length === 0))
      return { value: make(g, x.value, y.value), dims };
    if (two % 3 === 0) return { value: make(g, x.value, x.value), dims: x.dims };
    return { value: make(g, x.value, parameterFor(g, x, one)), dims: x.dims };
  };

/** A parameter that broadcasts to a value: it has some of the value's last axes, some of them of size 1. */
export function parameterFor(g: TestGraph, { dims }: Tensor, by: number): Value {
  const from = by % (dims.length + 1);
  const sizes = dims
    .slice(from)
    .map((size, axis) => (typeof size === "number" && ((by >> axis) & 1) === 0 ? size : 1));
  return g.parameter(sizes);
}

export function divisors(size: number): number[] {
  return Array.from({ length: size }, (_, at) => at + 1).filter((one) => size % one === 0);
}
