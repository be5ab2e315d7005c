import { sharedMemory } from "@ringrank/webassembly";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainKernels } from "./plain-kernels.js";
import { simdKernels } from "./simd-kernels.js";

const memory = sharedMemory(65_536);
const floats = new Float32Array(memory.buffer);
const halves = new Uint16Array(memory.buffer);
const plain = plainKernels(memory).wires;
const compiled = simdKernels(memory).wires;

const from = 1024;
const narrow = 4096;
const out = 8192;

/** Floats of every magnitude, including special ones. */
const anyFloats = fc.array(
  fc.oneof(
    fc.float(),
    fc.float({ min: -8, max: 8 }),
    fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4) }),
  ),
  { maxLength: 100 },
);

function thereAndBack({ encode, decode }: typeof plain.float16, values: readonly number[]): number[] {
  floats.set(values, from);
  encode(narrow, from, values.length);
  decode(out, narrow, values.length);
  return [...floats.subarray(out, out + values.length)];
}

describe.each(["float16", "int8"] as const)("compiled kernels for %s", (wire) => {
  it("have the bits of the plain ones, in both directions", () => {
    fc.assert(
      fc.property(anyFloats, fc.nat(17), (values, shift) => {
        const [expected, received] = [plain, compiled].map((wires) => {
          floats.fill(0);
          floats.set(values, from + shift);
          wires[wire].encode(narrow + shift, from + shift, values.length);
          const coded = Buffer.from(new Uint8Array(memory.buffer.slice(4 * narrow, 4 * out)));
          wires[wire].decode(out + shift, narrow + shift, values.length);
          return { coded, decoded: [...floats.subarray(out, out + values.length + 18)] };
        });
        expect(received!.decoded).toEqual(expected!.decoded);
        // Scales that are NaN may have other bits.
        if (values.every((value) => !Number.isNaN(value)))
          expect(received!.coded.equals(expected!.coded)).toBe(true);
      }),
    );
  });
});

describe.each([
  ["plain", plain],
  ["compiled", compiled],
])("%s kernels for float16", (_, wires) => {
  it("restore every float16", () => {
    for (let bits = 0; bits < 2 ** 16; bits++) {
      halves[2 * narrow] = bits;
      wires.float16.decode(from, narrow, 1);
      wires.float16.encode(out, from, 1);
      const isNoNumber = (bits & 0x7fff) > 0x7c00;
      if (isNoNumber) expect(floats[from]).toBeNaN();
      else if (halves[2 * out] !== bits) expect.unreachable(`${bits} became ${halves[2 * out]}`);
    }
  });

  // From https://en.wikipedia.org/wiki/Half-precision_floating-point_format
  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [1 / 3, 0x3555],
    [65_504, 0x7bff],
    [65_519, 0x7bff],
    [65_520, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [-0, 0x8000],
  ])("decode %f from the standard's bits", (value, bits) => {
    floats[from] = value;
    wires.float16.encode(narrow, from, 1);
    expect(halves[2 * narrow]).toBe(bits);
  });
});

describe("int8", () => {
  it("is off by at most half a step, of which the largest of 32 neighbours has 127", () => {
    const size = fc.oneof(
      fc.float({ min: -1e6, max: 1e6, noNaN: true }),
      fc.float({ min: Math.fround(-1e-35), max: Math.fround(1e-35), noNaN: true }),
    );
    const finite = fc.array(size, { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(finite, (values) => {
        for (const [i, value] of thereAndBack(plain.int8, values).entries()) {
          const neighbours = values.slice(i - (i % 32), i - (i % 32) + 32);
          const most = Math.max(...neighbours.map(Math.abs));
          // The scale of smaller numbers has fewer significant bits.
          if (most < 2e-36) continue;
          // The scale and the product are rounded to float32 as well.
          expect(Math.abs(value - values[i]!)).toBeLessThanOrEqual((most / 254) * (1 + 1e-4));
        }
      }),
    );
  });

  it("does not hide NaN or infinities", () => {
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(thereAndBack(compiled.int8, [1, odd, 2]).some(Number.isNaN)).toBe(true);
    }
  });
});
