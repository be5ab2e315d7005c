import {
  type Apply,
  along,
  divisors,
  mostElements,
  pick,
  product,
  type Tensor,
  unchanged,
} from "./tensor.js";

/** Slices, and operators that lengthen axes. */
export const cutting = {
  parts: along(({ g, x, two }, axis, size) => {
    if (size < 2) return { value: g.tanh(x.value), dims: x.dims };
    const first = 1 + (two % (size - 1));
    const parts = g.split(x.value, [first, size - first], axis);
    const form = Math.floor(two / 7) % 4;
    if (form === 0) return { value: parts[0]!, dims: x.dims.with(axis, first) };
    if (form === 1) return { value: parts[1]!, dims: x.dims.with(axis, size - first) };
    return { value: g.concat([parts[1]!, form === 2 ? parts[0]! : g.tanh(parts[0]!)], axis), dims: x.dims };
  }),
  "three parts": along(({ g, x, two }, axis, size) => {
    if (size < 3 || size % 3 > 0) return { value: g.tanh(x.value), dims: x.dims };
    const parts = g.applyAll("Split", [x.value], 3, { axis, num_outputs: 3 });
    const other = g.mul(parts[two % 3]!, parts[(two + 1) % 3]!);
    return { value: g.add(other, parts[(two + 2) % 3]!), dims: x.dims.with(axis, size / 3) };
  }),
  cut: along(({ g, x, two }, axis, size) => {
    const start = two % size;
    const end = start + 1 + (Math.floor(two / size) % (size - start));
    const bounds = (two >> 3) % 2 === 0 ? [start, end] : [start - size, end === size ? 2 ** 40 : end - size];
    const value = g.slice(x.value, g.integers([bounds[0]!]), g.integers([bounds[1]!]), axis);
    return { value, dims: x.dims.with(axis, end - start) };
  }),
  "every second": along(({ g, x, two }, axis, size) => {
    const step = two % 2 === 0 ? 2 : -1;
    const [start, end, count] =
      step === 2 ? [two % 3 === 0 ? 1 : 0, 2 ** 31, 0] : [size - 1, -(2 ** 40), size];
    if (step === 2 && start >= size) return { value: g.tanh(x.value), dims: x.dims };
    const all = [start, end, axis, step].map((one) => g.integers([one]));
    return {
      value: g.apply("Slice", [x.value, ...all]),
      dims: x.dims.with(axis, step === 2 ? Math.ceil((size - start) / 2) : count),
    };
  }),
  "cut by steps": along(({ g, x, one }, axis, size) => {
    // A divisor as the step, and an offset below it.
    const step = pick(divisors(size), one);
    const start = one % step;
    const all = [start, 2 ** 31, axis, step].map((number) => g.integers([number]));
    return { value: g.apply("Slice", [x.value, ...all]), dims: x.dims.with(axis, size / step) };
  }),
  joined: along(({ g, x, y, two }, axis, size) => {
    const other = y.dims[axis];
    const fits =
      y.dims.length === x.dims.length &&
      typeof other === "number" &&
      y.dims.every((its, at) => at === axis || its === x.dims[at]);
    const parts: Tensor[] = fits ? [x, y] : [x, { ...x, value: g.tanh(x.value) }];
    if (two % 2 === 0) parts.reverse();
    const total = size + (fits ? other : size);
    if ((product(x.dims) / size) * total > mostElements) return x;
    return {
      value: g.concat(
        parts.map(({ value }) => value),
        axis,
      ),
      dims: x.dims.with(axis, total),
    };
  }),
  "parameter joined": along(({ g, x, two }, axis, size) => {
    if (x.dims.some((one) => typeof one !== "number") || product(x.dims) * 2 > mostElements) return x;
    const count = 1 + (two % 3);
    const parameter = g.parameter((x.dims as number[]).with(axis, count));
    return { value: g.concat([x.value, parameter], axis), dims: x.dims.with(axis, size + count) };
  }),
  padded: along(({ g, x, two }, axis, size) => {
    const [before, behind] = [two % 3, (two >> 2) % 2];
    if ((product(x.dims) / size) * (size + 3) > mostElements) return x;
    const mode = pick(size > 3 ? ["constant", "edge", "reflect"] : ["constant", "edge"], two >> 1);
    const pads = [...x.dims, ...x.dims].map((_, at) =>
      at === axis ? before : at === axis + x.dims.length ? behind : 0,
    );
    return {
      value: g.apply("Pad", [x.value, g.integers(pads), ...(mode === "constant" ? [g.numbers([0.3])] : [])], {
        mode,
      }),
      dims: x.dims.with(axis, size + before + behind),
    };
  }),
  "cut by negative pads": along(({ g, x, two }, axis, size) => {
    if (size < 3) return x;
    const pads = [...x.dims, ...x.dims].map((_, at) =>
      at === axis ? -1 : at === axis + x.dims.length ? two % 2 : 0,
    );
    return {
      value: g.apply("Pad", [x.value, g.integers(pads)]),
      dims: x.dims.with(axis, size - 1 + (two % 2)),
    };
  }),
  repeated: along(({ g, x, two }, axis, size) => {
    const times = 2 + (two % 2);
    if (product(x.dims) * times > mostElements) return x;
    const repeats = x.dims.map((_, at) => (at === axis ? times : 1));
    return { value: g.apply("Tile", [x.value, g.integers(repeats)]), dims: x.dims.with(axis, size * times) };
  }),
  widened: along(({ g, x, two }, axis, size) => {
    const times = 2 + (two % 3);
    if (size !== 1 || product(x.dims) * times > mostElements) return x;
    const target = x.dims.map((_, at) => (at === axis ? times : 1));
    return { value: g.expand(x.value, g.integers(target)), dims: x.dims.with(axis, times) };
  }),
  "ones beside": along(({ g, x, two }, axis, size) => {
    if (product(x.dims) * 2 > mostElements) return x;
    const ones = g.apply("ConstantOfShape", [g.shape(x.value, 0, x.dims.length)], {
      value: { kind: "tensor", value: { type: "float32", dims: [1], data: Float32Array.of(0.5) } },
    });
    if (two % 2 === 0) return { value: g.mul(ones, x.value), dims: x.dims };
    return { value: g.concat([ones, x.value], axis), dims: x.dims.with(axis, 2 * size) };
  }),
  "lower triangle": (given) => {
    const { g, x, two } = given;
    if (x.dims.length < 2) return unchanged(given);
    return {
      value: g.apply("Trilu", [x.value, g.integer((two % 3) - 1)], { upper: (two >> 2) % 2 }),
      dims: x.dims,
    };
  },
} satisfies Record<string, Apply>;
