import { expect, it } from "vitest";
import type { PlacedStep } from "../execution/compiled-entry.js";
import { CompiledKernelSteps } from "../execution/steps/compiled-kernel-steps.js";
import type { KernelStep } from "../execution/steps/kernel-step.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { joinKernelSteps } from "./join-kernel-steps.js";

const kernelStep: KernelStep = { run() {}, reads: [], writes: [], lastCalls: () => [] };
const ofKernels: PlacedStep = { step: kernelStep, drop: [1] };
const other: PlacedStep = { step: { run() {} }, drop: [2] };

it("makes one step of kernel steps that follow one another, which drops what they drop", () => {
  const joined = joinKernelSteps([ofKernels, ofKernels, other, ofKernels], new RankKernels(1));
  expect(joined.map(({ step }) => step instanceof CompiledKernelSteps)).toEqual([true, false, true]);
  expect(joined[1]).toBe(other);
  expect(joined.map(({ drop }) => drop)).toEqual([[], [2], []]);
});

it("leaves steps as they are if there are no kernels", () => {
  const steps = [ofKernels, ofKernels, other];
  expect(joinKernelSteps(steps, undefined)).toEqual(steps);
});
