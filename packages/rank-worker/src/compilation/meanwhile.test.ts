import type { Communicator } from "@ringrank/collectives";
import { type Entry, makeFloatSegment, makeIntegerSegment, type ProductStep } from "@ringrank/policy";
import { expect, it, vi } from "vitest";
import { runEntry } from "../execution/run-entry.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import { compileContext, runContext } from "../testing/compile-context.js";
import { activations, prepareProduct } from "../testing/product-case.js";
import { size, symbol } from "../testing/tiny-program.js";
import { compileEntry } from "./compile-entry.js";

const width = 64;
/** Kernels multiply few rows, so no session is needed. */
const unusedSession: OrtSession = { run: () => expect.fail("no session is needed"), release() {} };

/** Two all-reduces before the product `x · matrix`, and one after it. */
const around = (product: ProductStep): Entry => ({
  inputs: [{ name: "x", type: "float32", dims: [symbol("rows"), size(width)] }],
  outputs: [],
  steps: [
    { kind: "allReduce", value: "x" },
    { kind: "allReduce", value: "x" },
    product,
    { kind: "allReduce", value: "y0" },
  ],
  caches: [],
});

it.each([4, 8, 32] as const)(
  "a waiting rank prefetches the next product's matrix, of %i bits",
  async (bits) => {
    const kernels = new RankKernels(64);
    const read = vi.spyOn(kernels, "beginMatrix");
    const product = prepareProduct({ bits, width, outputs: [[{ rows: 16, kernels }]] });
    const reads: number[] = [];
    // Two ranks, one of which is late each time.
    const communicator = {
      meanwhile: undefined as Communicator["meanwhile"],
      progress() {},
      allReduce() {
        const before = read.mock.calls.length;
        communicator.meanwhile?.();
        reads.push(read.mock.calls.length - before);
      },
    };

    const context = compileContext({
      segments:
        bits === 32 ? [makeFloatSegment()] : [makeIntegerSegment("int8"), makeIntegerSegment("uint8")],
      sessions: [unusedSession, unusedSession],
      keptWeights: product.weights,
      kernels,
    });
    const compiled = compileEntry("forward", around(product.step), context);
    await runEntry(compiled, [activations(1, width)], runContext(communicator as Partial<Communicator>));

    // A matrix this small is in the cache after the first turn.
    expect(reads).toEqual([1, 0, 0]);
    expect(read.mock.calls[0]![0]).toBe(
      (product.weights.get("0.0.values")!.data as Uint8Array | Float32Array).byteOffset,
    );
    expect(communicator.meanwhile).toBeUndefined();
  },
);
