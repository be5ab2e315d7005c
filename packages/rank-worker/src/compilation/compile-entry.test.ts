import type { Entry, NormalizeStep } from "@ringrank/policy";
import { expect, it } from "vitest";
import { runEntry } from "../execution/run-entry.js";
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

it("steps that fill the caches are not joined with later ones, before which a run may end", async () => {
  const entry: Entry = {
    inputs: [value("x")],
    outputs: [value("cached"), value("made")],
    steps: [norm("x", "cached"), norm("cached", "made")],
    cacheSteps: 1,
    caches: [],
  };
  const kernels = new RankKernels(16);
  const ones = tensor("float32", new Float32Array(4).fill(1), [4]);
  const keptWeights = new Map([["scale", ones]]);
  const compiled = compileEntry("forward", entry, compileContext({ keptWeights, kernels }));
  const x = tensor("float32", Float32Array.of(2, 2, 2, 2), [1, 4]);
  const madeBy = async (wanted: "all" | "caches") =>
    (await runEntry(compiled, [x], runContext(), wanted)).outputs.map((output) => output?.data);
  const norms = Float32Array.of(1, 1, 1, 1);
  expect(await madeBy("caches")).toEqual([norms, undefined]);
  expect(await madeBy("all")).toEqual([norms, norms]);
});
