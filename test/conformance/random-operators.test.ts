import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Choice, operatorNames, randomOperators } from "../support/random-operators.js";
import { randomRuns } from "../support/random-runs.js";
import { inputsFor, plannedAndAlone, runSplit, runWhole } from "../support/split-and-whole.js";

const choice: fc.Arbitrary<Choice> = fc.record({
  // Two successive products produce a sum that ranks owe.
  operator: fc.oneof(fc.constantFrom(...operatorNames), fc.constant<Choice["operator"]>("product")),
  left: fc.nat(3),
  right: fc.nat(9),
  size: fc.integer({ min: 1, max: 7 }),
});

describe("a random graph of operators", () => {
  it("computes what one session of ONNX Runtime does, whichever of its factors ranks share", async () => {
    const cases = fc.asyncProperty(
      fc.array(choice, { minLength: 2, maxLength: 12 }),
      fc.array(fc.nat(9), { maxLength: 3 }),
      fc.integer({ min: 2, max: 8 }),
      async (choices, early, ranks) => {
        const made = randomOperators(choices, early);
        const inputs = inputsFor(made.graph);
        const whole = await runWhole(made, inputs);
        for (const policy of plannedAndAlone(made.graph, ranks)) {
          const split = await runSplit(made, policy, inputs);
          for (const [name, { data }] of Object.entries(whole)) {
            const expected = data as Float32Array;
            const largest = expected.reduce((most, one) => Math.max(most, Math.abs(one)), 1);
            // A dozen sums of a few numbers each, in another order, some of them divided by a norm: about 1e-6 each.
            expect(split[name]!.data).toBeAllclose(expected, { rtol: 0, atol: 1e-4 * largest });
          }
        }
      },
    );
    await fc.assert(cases, { ...randomRuns(60), endOnFailure: false });
  }, 600_000);
});
