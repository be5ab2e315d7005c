import type { Entry, NormalizeStep } from "@ringrank/policy";
import { expect, it } from "vitest";
import { runEntry, type Wanted } from "../execution/run-entry.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { tensor } from "../tensors/tensor.js";
import { compileContext, runContext } from "../testing/compile-context.js";
import { size } from "../testing/tiny-program.js";
import { compileEntry } from "./compile-entry.js";

const value = (name: string) => ({ name, type: "float32" as const, dims: [size(1), size(4)] });

const norm = (input: string, output: string): NormalizeStep => ({
  kind: "normalize",
  value: input,
  output,
  scale: "scale",
  epsilon: 0,
  centered: false,
});

it("steps are not joined with later ones if a run may end between them", async () => {
  const entry: Entry = {
    inputs: [value("x")],
    outputs: [value("cached"), value("early"), value("late")],
    steps: [norm("x", "cached"), norm("cached", "early"), norm("early", "late")],
    cacheSteps: 1,
    outputSteps: { cached: 1, early: 2 },
    caches: [],
  };
  const kernels = new RankKernels(16);
  const ones = tensor("float32", new Float32Array(4).fill(1), [4]);
  const keptWeights = new Map([["scale", ones]]);
  const compiled = compileEntry("forward", entry, compileContext({ keptWeights, kernels }));
  const x = tensor("float32", Float32Array.of(2, 2, 2, 2), [1, 4]);
  const madeBy = async (wanted: Wanted) =>
    (await runEntry(compiled, [x], runContext(), wanted)).outputs.map((output) => output?.data);
  const norms = Float32Array.of(1, 1, 1, 1);
  expect(await madeBy("caches")).toEqual([norms, undefined, undefined]);
  expect(await madeBy(["cached"])).toEqual([norms, undefined, undefined]);
  expect(await madeBy(["early", "cached"])).toEqual([norms, norms, undefined]);
  expect(await madeBy(["cached", "late"])).toEqual([norms, norms, norms]);
  expect(await madeBy("all")).toEqual([norms, norms, norms]);
});
