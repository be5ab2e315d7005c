import { type Apply, along, mostAxes, mostElements, pick, product, staticAxis, unchanged } from "./tensor.js";

/** Operators that read or write elements by index. */
export const picking = {
  "picked places": along(({ g, x, two }, axis, size) => {
    const count = 1 + (two % 4);
    const indices = Array.from(
      { length: count },
      (_, at) => ((at * (1 + (two % 3)) + two) % size) - (two % 2) * size,
    );
    if ((product(x.dims) / size) * count > mostElements) return x;
    return { value: g.gather(x.value, g.integers(indices), axis), dims: x.dims.with(axis, count) };
  }),
  "picked square": along(({ g, x, two }, axis, size) => {
    if ((product(x.dims) / size) * 4 > mostElements || x.dims.length >= mostAxes) return x;
    const indices = Array.from({ length: 4 }, (_, at) => (at + two) % size);
    const square = g.constant({ type: "int64", dims: [2, 2], data: BigInt64Array.from(indices, BigInt) });
    return { value: g.gather(x.value, square, axis), dims: x.dims.toSpliced(axis, 1, 2, 2) };
  }),
  "picked one": along(({ g, x, two }, axis, size) => ({
    value: g.gather(x.value, g.integer((two % size) - (two % 2) * size), axis),
    dims: x.dims.toSpliced(axis, 1),
  })),
  "picked by elements": (given) => {
    const { g, x, one, two } = given;
    const axis = staticAxis(x, one);
    if (axis === undefined || x.dims.some((size) => typeof size !== "number")) return unchanged(given);
    const dims = (x.dims as number[]).with(axis, 1 + (two % 3));
    const size = x.dims[axis] as number;
    const count = product(dims);
    if (count > mostElements) return unchanged(given);
    const data = BigInt64Array.from({ length: count }, (_, at) => BigInt((at * 5 + two) % size));
    const indices = g.constant({ type: "int64", dims, data });
    return { value: g.gatherElements(x.value, indices, axis), dims };
  },
  "written by elements": along((given, axis, size) => {
    const { g, x, two } = given;
    if (x.dims.some((one) => typeof one !== "number")) return unchanged(given);
    const dims = (x.dims as number[]).with(axis, 1);
    const data = BigInt64Array.from({ length: product(dims) }, (_, at) => BigInt((at + two) % size));
    const indices = g.constant({ type: "int64", dims, data });
    const updates = two % 2 === 0 ? g.parameter(dims) : g.reduceSum(x.value, [axis]);
    const reduction = pick(["none", "add", "max"], two >> 1);
    return {
      value: g.apply("ScatterElements", [x.value, indices, updates], { axis, reduction }),
      dims: x.dims,
    };
  }),
  "picked rows": (given) => {
    const { g, x, two } = given;
    if (typeof x.dims[0] !== "number") return unchanged(given);
    const indices = [two % x.dims[0], (two + 1) % x.dims[0]];
    const rows = g.constant({ type: "int64", dims: [2, 1], data: BigInt64Array.from(indices, BigInt) });
    if ((product(x.dims) / x.dims[0]) * 2 > mostElements) return unchanged(given);
    return { value: g.apply("GatherND", [x.value, rows]), dims: [2, ...x.dims.slice(1)] };
  },
  "written rows": (given) => {
    const { g, x, two } = given;
    const [first, ...rest] = x.dims;
    if (typeof first !== "number" || rest.some((one) => typeof one !== "number")) return unchanged(given);
    const rows = g.constant({ type: "int64", dims: [1, 1], data: BigInt64Array.of(BigInt(two % first)) });
    const updates = g.parameter([1, ...(rest as number[])]);
    const reduction = pick(["none", "add"], two);
    return { value: g.apply("ScatterND", [x.value, rows, updates], { reduction }), dims: x.dims };
  },
  "units by a table": along(({ g, x, two }, axis, size) => {
    // A lookup with computed indices: rows of a table that ranks may share.
    if (x.dims.length >= mostAxes || (product(x.dims) / size) * 4 > mostElements) return x;
    const places = g.squeeze(g.apply("ArgMax", [x.value], { axis }), [axis]);
    const [rows, width] = [size + (two % 3), 1 + (two % 4)];
    return {
      value: g.gather(g.parameter([rows, width]), places, 0),
      dims: [...x.dims.toSpliced(axis, 1), width],
    };
  }),
  "hot units": along(({ g, x, one }, axis, size) => {
    if (product(x.dims) > mostElements / 2) return x;
    const places = g.squeeze(g.apply("ArgMax", [x.value], { axis }), [axis]);
    const hot = g.apply("OneHot", [places, g.integer(size), g.numbers([0, 1], [2])], { axis });
    return { value: one % 2 === 0 ? hot : g.mul(hot, x.value), dims: x.dims };
  }),
} satisfies Record<string, Apply>;
