import { setKernelFlags } from "@ringrank/webassembly";
import { describe, expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { exponentialSum } from "./exponential-sum.js";

setKernelFlags();

const kernels = {
  "plain code": undefined,
  "the plain kernels": new RankKernels(64, [kernelFiles.plain]),
  "the fused kernels": new RankKernels(64, [kernelFiles.fused]),
};

/** The definition. Terms are added in decreasing order, which loses least. */
function reference(values: Float32Array, temperature: number): { max: number; sum: number } {
  const scores = Array.from(values, (value) => value / temperature).sort((a, b) => b - a);
  return { max: scores[0]!, sum: scores.reduceRight((sum, score) => sum + Math.exp(score - scores[0]!), 0) };
}

describe.each(Object.keys(kernels) as (keyof typeof kernels)[])("sums of exponentials by %s", (way) => {
  const sumOf = (values: Float32Array, temperature: number) =>
    exponentialSum(values, temperature, kernels[way]);

  it.each([
    [1, 1],
    [2, 0.3],
    [3, 2.5],
    [8, 1],
    [11, 0.01],
    [4099, 0.7],
  ])("of %i values are those of float64, at temperature %f", (count, temperature) => {
    for (const spread of [0, 0.1, 5, 80, 1e30]) {
      const values = Float32Array.from({ length: count }, (_, at) => spread * Math.sin(at * at + 1));
      const [{ max, sum }, expected] = [sumOf(values, temperature), reference(values, temperature)];
      // A quotient rounds as a quotient, or as a product with the reciprocal.
      expect([max]).toBeAllclose([expected.max], { rtol: 1e-15, atol: 0 });
      // The kernels' polynomial is off by 3·10⁻¹³ at most, and the difference of large values by the same or less.
      expect([sum]).toBeAllclose([expected.sum], { rtol: 1e-12, atol: 0 });
    }
  });

  it("leave out −∞, of which alone they are empty", () => {
    const hidden = Number.NEGATIVE_INFINITY;
    expect(sumOf(Float32Array.of(hidden, 2, hidden, hidden, 2), 1)).toEqual({ max: 2, sum: 2 });
    expect(sumOf(new Float32Array(9).fill(hidden), 1)).toEqual({ max: hidden, sum: 0 });
    expect(sumOf(new Float32Array(0), 1)).toEqual({ max: hidden, sum: 0 });
  });
});
