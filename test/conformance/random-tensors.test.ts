import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distance, nudged } from "../support/nudged.js";
import { randomRuns } from "../support/random-runs.js";
import { type Choice, operatorNames, randomTensors } from "../support/random-tensors/random-tensors.js";
import {
  inputsFor,
  plannedAndAlone,
  productChoices,
  runSplit,
  runWhole,
} from "../support/split-and-whole.js";

const choice: fc.Arbitrary<Choice> = fc.record({
  // Two successive products produce a sum that ranks owe.
  operator: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...operatorNames) },
    { weight: 1, arbitrary: fc.constantFrom<Choice["operator"]>("product", "by letters", "cut into units") },
  ),
  left: fc.nat(3),
  right: fc.nat(9),
  one: fc.nat(63),
  two: fc.nat(63),
});

/** Of a call. Of size 1, a dimension broadcasts, which the policy cannot count on. */
const sizes = fc.record({ batch: fc.integer({ min: 1, max: 3 }), sequence: fc.integer({ min: 1, max: 4 }) });

describe("a random graph of tensors with several axes", () => {
  it("computes what one session of ONNX Runtime does, whichever of its factors ranks share", async () => {
    const cases = fc.asyncProperty(
      fc.array(choice, { minLength: 2, maxLength: 12 }),
      fc.array(fc.nat(9), { maxLength: 3 }),
      fc.boolean(),
      sizes,
      fc.integer({ min: 2, max: 8 }),
      fc.constantFrom(...productChoices),
      async (choices, early, hasSequence, ofCall, ranks, products) => {
        const made = randomTensors(choices, early, hasSequence);
        const inputs = inputsFor(made.graph, ofCall);
        const whole = await runWhole(made, inputs);
        const other = await runWhole(nudged(made), inputs);
        for (const policy of plannedAndAlone(made.graph, ranks)) {
          const split = await runSplit(made, policy, inputs, products);
          for (const [name, { dims, data }] of Object.entries(whole)) {
            const expected = data as Float32Array;
            expect(split[name]!.dims).toEqual(dims);
            const largest = expected.reduce((most, one) => Math.max(most, Math.abs(one)), 1);
            // A dozen sums of a few numbers each, in another order: about 1e-6 each. The error is larger if one of two
            // nearly equal numbers is chosen or large numbers cancel, and so is the effect of a small change of the
            // weights.
            const atol = 1e-4 * largest + 10 * distance(other, whole, name);
            expect(split[name]!.data).toBeAllclose(expected, { rtol: 0, atol });
          }
        }
      },
    );
    await fc.assert(cases, { ...randomRuns(60), endOnFailure: false });
  }, 600_000);
});
