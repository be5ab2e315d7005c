import fc from "fast-check";
import { expect, it } from "vitest";
import { kernelCall } from "../kernels/kernel-call.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { plainNormalize } from "./plain-normalize.js";

const kernels = new RankKernels();
const { memory } = kernels;
// Room for the largest case, at fixed addresses.
const [input, output, scales, biases] = [700, 700, 70, 70].map((count) => memory.floats(count)!);

/**
 * Numbers of similar size with all bits, so that the order of a sum matters; or any, including infinities and both
 * zeros.
 */
const floatsOf = (length: number): fc.Arbitrary<Float32Array> =>
  fc
    .oneof(
      ...[
        fc.integer({ min: -(2 ** 24), max: 2 ** 24 }).map((n) => n / 2 ** 21),
        fc.float({ noNaN: true }),
      ].map((number) => fc.array(number, { minLength: length, maxLength: length })),
    )
    .map((numbers) => Float32Array.from(numbers));

const anyCase = fc
  .tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 10 }))
  .chain(([width, rows]) =>
    fc.record({
      x: floatsOf(rows * width),
      scale: floatsOf(width),
      bias: fc.option(floatsOf(width), { nil: undefined }),
      epsilon: fc.constantFrom(1e-5, 1e-6, 1e-12, 0),
      centered: fc.boolean(),
    }),
  );

it("has the bits of the kernel", () => {
  fc.assert(
    fc.property(anyCase, ({ x, scale, bias, epsilon, centered }) => {
      input!.set(x);
      scales!.set(scale);
      if (bias !== undefined) biases!.set(bias);
      const { length: width } = scale;
      const [from, to, rows] = [input!.byteOffset, output!.byteOffset, x.length / width];
      const parameters = [scales!.byteOffset, bias === undefined ? 0 : biases!.byteOffset] as const;
      kernels.make(kernelCall("normalize", from, to, rows, width, ...parameters, epsilon, centered));
      const plain = new Float32Array(x.length);
      plainNormalize(x, plain, { scale, bias, epsilon, centered });
      expect([...plain]).toEqual([...output!.subarray(0, x.length)]);
    }),
    { numRuns: 500 },
  );
});
