import "../../../../test/support/optimized-kernels.js";
import type { NormalizeStep } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { floatsAtOnce } from "../kernels/kernel-result.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { Normalization } from "./normalization.js";

const width = 64;
const [kernels, others] = [new RankKernels(64), new RankKernels(64)];

const step: NormalizeStep = {
  kind: "normalize",
  value: "x",
  output: "y",
  scale: "scale",
  epsilon: 1e-6,
  centered: false,
  added: { rows: ["row"], value: "other" },
};

/** A norm of a sum, which it has just computed of two values of so many rows. */
function normalized(rows = 1, place: RankKernels | undefined = kernels) {
  const normalization = new Normalization(step, () => valueIn(undefined, 1), kernels);
  const run = (count: number): void => {
    normalization.run(valueIn(place, count), valueIn(place, count));
  };
  run(rows);
  return { normalization, run };
}

function valueIn(place: RankKernels | undefined, rows: number): Tensor {
  const floats = place?.memory.floats(rows * width) ?? new Float32Array(rows * width);
  return tensor("float32", floats, [rows, width]);
}

describe("a norm after an addition", () => {
  it("can be repeated by kernel calls", () => {
    const calls = normalized().normalization.lastCalls(kernels);
    expect(calls?.map(({ kernel }) => kernel)).toEqual(["addRow", "add", "normalize"]);
  });

  it("cannot if its values are in other memory", () => {
    expect(normalized(1, others).normalization.lastCalls(kernels)).toBeUndefined();
  });

  it("cannot by other kernels", () => {
    expect(normalized().normalization.lastCalls(others)).toBeUndefined();
  });

  it("cannot after it has been computed in parts, which are too large to be kept", () => {
    const { normalization, run } = normalized();
    run(floatsAtOnce / width + 1);
    expect(normalization.lastCalls(kernels)).toBeUndefined();
  });
});
