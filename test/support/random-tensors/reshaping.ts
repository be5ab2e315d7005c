import type { TestGraph } from "../test-graph.js";
import {
  type Apply,
  along,
  divisors,
  mostAxes,
  pick,
  product,
  type Size,
  type Tensor,
  unchanged,
} from "./tensor.js";

/** Reshapes to other sizes with the same number of elements, given explicitly or computed. */
function reshaped(g: TestGraph, x: Tensor, dims: readonly Size[], isComputed: boolean): Tensor {
  const inPlace = dims.every((size, axis) => typeof size === "number" || x.dims[axis] === size);
  if (inPlace && !isComputed)
    return {
      value: g.reshape(
        x.value,
        dims.map((size) => (typeof size === "number" ? size : 0)),
      ),
      dims,
    };
  const parts = dims.map((size) => {
    if (typeof size === "number") return g.integers([size]);
    const axis = x.dims.indexOf(size);
    return g.shape(x.value, axis, axis + 1);
  });
  return { value: g.reshapeBy(x.value, g.concat(parts, 0)), dims };
}

/** The same elements in other positions, or under other axes. */
export const reshaping = {
  turned: ({ g, x, one, two }) => {
    const order = [...x.dims.keys()];
    for (let at = order.length - 1, by = one * 31 + two; at > 0; at--, by = Math.floor(by / 3)) {
      const other = by % (at + 1);
      [order[at], order[other]] = [order[other]!, order[at]!];
    }
    return { value: g.transpose(x.value, order), dims: order.map((axis) => x.dims[axis]!) };
  },
  "cut into units": along(({ g, x, two }, axis, size) => {
    if (x.dims.length >= mostAxes) return x;
    const major = pick(divisors(size), two);
    return reshaped(g, x, x.dims.toSpliced(axis, 1, major, size / major), two % 5 === 0);
  }),
  "axes joined": (given) => {
    const { g, x, one, two } = given;
    const pairs = x.dims.flatMap((size, axis) =>
      typeof size === "number" && typeof x.dims[axis + 1] === "number" ? [axis] : [],
    );
    if (pairs.length === 0) return unchanged(given);
    const axis = pick(pairs, one);
    const joined = (x.dims[axis] as number) * (x.dims[axis + 1] as number);
    return reshaped(g, x, x.dims.toSpliced(axis, 2, joined), two % 5 === 0);
  },
  "cut otherwise": (given) => {
    // Regroups all elements of the known axes into other axes.
    const { g, x, one, two } = given;
    const at = x.dims.findLastIndex((size) => typeof size !== "number") + 1;
    const count = product(x.dims.slice(at));
    if (at + 2 > mostAxes || at >= x.dims.length) return unchanged(given);
    const major = pick(divisors(count), one);
    return reshaped(g, x, [...x.dims.slice(0, at), major, count / major], two % 3 === 0);
  },
  "axis added": ({ g, x, one }) => {
    if (x.dims.length >= mostAxes) return x;
    const axis = one % (x.dims.length + 1);
    return { value: g.unsqueeze(x.value, [axis]), dims: x.dims.toSpliced(axis, 0, 1) };
  },
  "axes of one dropped": ({ g, x, two }) => {
    const axes = x.dims.flatMap((size, axis) => (size === 1 ? [axis] : []));
    if (axes.length === 0) return x;
    const value =
      two % 2 === 0
        ? g.squeeze(x.value, axes)
        : g.squeeze(
            x.value,
            axes.map((axis) => axis - x.dims.length),
          );
    return { value, dims: x.dims.filter((size) => size !== 1) };
  },
  flat: (given) => {
    const { g, x } = given;
    if (x.dims.slice(1).some((size) => typeof size !== "number")) return unchanged(given);
    return { value: g.apply("Flatten", [x.value]), dims: [x.dims[0] ?? 1, product(x.dims.slice(1))] };
  },
  "sizes told": ({ g, x, two }) => {
    // Numbers computed from the sizes of a share must be those of the whole value.
    const size = g.cast(
      two % 2 === 0 ? g.shape(x.value, 0, x.dims.length) : g.unsqueeze(g.apply("Size", [x.value]), [0]),
      "float32",
    );
    const number = g.apply("ReduceSum", [size, g.integers([0])]);
    return { value: g.mul(x.value, g.div(number, g.numbers([50]))), dims: x.dims };
  },
} satisfies Record<string, Apply>;
