import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kernelFor } from "./kernels.js";

const anyFloat = fc.float({ noDefaultInfinity: false });

describe("the fp32 sum", () => {
  it("rounds each addition to fp32", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyFloat, anyFloat)), (pairs) => {
        const left = Float32Array.from(pairs, ([a]) => a);
        const right = Float32Array.from(pairs, ([, b]) => b);
        const out = new Float32Array(pairs.length);
        kernelFor<Float32Array>("float32", "sum")(out, 0, left, 0, right, 0, pairs.length);
        expect([...out]).toEqual(pairs.map(([a, b]) => Math.fround(a + b)));
      }),
    );
  });

  it("works from offset to offset, and in place", () => {
    const data = Float32Array.of(1, 2, 3, 4, 5);
    kernelFor<Float32Array>("float32", "sum")(data, 1, data, 1, data, 3, 2);
    expect([...data]).toEqual([1, 6, 8, 4, 5]);
  });
});

it("the int32 sum wraps around", () => {
  const out = new Int32Array(2);
  const kernel = kernelFor<Int32Array>("int32", "sum");
  kernel(out, 0, Int32Array.of(2 ** 31 - 1, -(2 ** 31)), 0, Int32Array.of(1, -1), 0, 2);
  expect([...out]).toEqual([-(2 ** 31), 2 ** 31 - 1]);
});

describe("the maximum", () => {
  it("propagates NaN from either side", () => {
    const out = new Float32Array(2);
    const kernel = kernelFor<Float32Array>("float32", "max");
    kernel(out, 0, Float32Array.of(Number.NaN, 1), 0, Float32Array.of(1, Number.NaN), 0, 2);
    expect([...out]).toEqual([Number.NaN, Number.NaN]);
  });

  it("has −0 below +0, whichever comes first", () => {
    const out = new Float32Array(3);
    const kernel = kernelFor<Float32Array>("float32", "max");
    kernel(out, 0, Float32Array.of(-0, 0, -0), 0, Float32Array.of(0, -0, -0), 0, 3);
    expect([...out]).toEqual([0, 0, -0]);
  });

  it("is exact in int32", () => {
    const out = new Int32Array(2);
    const kernel = kernelFor<Int32Array>("int32", "max");
    kernel(out, 0, Int32Array.of(2 ** 31 - 1, -5), 0, Int32Array.of(2 ** 31 - 2, -(2 ** 31)), 0, 2);
    expect([...out]).toEqual([2 ** 31 - 1, -5]);
  });
});
