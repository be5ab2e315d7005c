import { makeIntegerSegment } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { tensor } from "../../../tensors/tensor.js";
import { productSessions } from "../../../testing/product-case.js";
import type { RunSegment } from "../../multiplier.js";
import { IntegerProduct } from "./integer-product.js";

const segments = { int8: makeIntegerSegment("int8"), uint8: makeIntegerSegment("uint8") };

/** A processor that adds products of unsigned and signed bytes in pairs, in this many bits. */
function processor(bits: 16 | 32): RunSegment {
  const most = 2 ** (bits - 1) - 1;
  return (_, feeds, into) => {
    const [weights, activations] = Object.values(feeds);
    const sums = Object.values(into)[0]!;
    const [rows, columns] = sums.dims as [number, number];
    const width = weights!.dims[1]!;
    const [w, a, out] = [weights, activations, sums].map((one) => one!.data as Int32Array);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let k = 0; k < width; k += 2) {
          const product = (k: number) => w![row * width + k]! * a![k * columns + column]!;
          sum +=
            Math.min(most, product(k) + product(k + 1)) - 128 * (a![k * columns]! + a![(k + 1) * columns]!);
        }
        out![row * columns + column] = sum;
      }
    }
    return {};
  };
}

describe("activations are", () => {
  it("signed if products of signed bytes are exact", async () => {
    expect(await new IntegerProduct(segments).activationType(processor(32))).toBe("int8");
  });

  it("unsigned if two products overflow", async () => {
    expect(await new IntegerProduct(segments).activationType(processor(16))).toBe("uint8");
  });

  it("always of the same type", async () => {
    const integers = new IntegerProduct(segments);
    await integers.activationType(processor(16));
    expect(await integers.activationType(() => expect.fail("it is known"))).toBe("uint8");
  });

  it("of the type with which this processor multiplies the largest numbers exactly", async () => {
    const { run } = productSessions();
    const integers = new IntegerProduct(segments);
    const isSigned = (await integers.activationType(run)) === "int8";
    const width = 1024;
    const weights = Uint8Array.from({ length: 4 * width }, (_, at) => (at < 2 * width ? 255 : 1));
    const numbers = Array.from({ length: 16 * width }, (_, at) => (at % 2 === 0 ? 127 : -127));
    const activations = isSigned ? Int8Array.from(numbers) : Uint8Array.from(numbers, (x) => x + 128);
    const sums = new Int32Array(4 * 16);
    await integers.multiply(
      tensor("uint8", weights, [4, width]),
      tensor(isSigned ? "int8" : "uint8", activations, [width, 16]),
      tensor("int32", sums, [4, 16]),
      run,
    );
    const most = 127 * 127 * width;
    const row = (sign: number) => Array.from({ length: 16 }, (_, at) => (at % 2 === 0 ? sign : -sign) * most);
    expect([...sums]).toEqual([...row(1), ...row(1), ...row(-1), ...row(-1)]);
  });
});
