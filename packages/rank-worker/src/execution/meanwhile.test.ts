import type { Communicator } from "@ringrank/collectives";
import { type Entry, makeFloatSegment, makeIntegerSegment, type ProductStep } from "@ringrank/policy";
import { expect, it, vi } from "vitest";
import { compileEntry } from "../compilation/compile-entry.js";
import { ExpertParts } from "../compilation/expert-parts.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { Lifecycle, NativeGate } from "../lifecycle.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import { activations, prepareProduct } from "../testing/product-case.js";
import { size, symbol } from "../testing/tiny-program.js";
import { runEntry } from "./run-entry.js";

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

    const compiled = compileEntry("forward", around(product.step), {
      segments:
        bits === 32 ? [makeFloatSegment()] : [makeIntegerSegment("int8"), makeIntegerSegment("uint8")],
      sessions: [unusedSession, unusedSession],
      keptWeights: product.weights,
      rowsOf: () => undefined,
      kernelsOf: () => kernels,
      streamedScales: new StreamedScales(),
      expertParts: new ExpertParts(() => undefined),
      kernels,
      attention: undefined,
    });
    await runEntry(compiled, [activations(1, width)], {
      communicator: communicator as unknown as Communicator,
      gate: new NativeGate(new Lifecycle(1).buffer, 0),
    });

    // A matrix this small is in the cache after the first turn.
    expect(reads).toEqual([1, 0, 0]);
    expect(read.mock.calls[0]![0]).toBe(
      (product.weights.get("0.0.values")!.data as Uint8Array | Float32Array).byteOffset,
    );
    expect(communicator.meanwhile).toBeUndefined();
  },
);
