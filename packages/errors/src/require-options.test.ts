import { expect, it } from "vitest";
import { requireOptions } from "./require-options.js";

it("accepts any of the known options", () => {
  for (const options of [{}, { seed: 1 }, { seed: undefined, stop: "x" }])
    requireOptions(options, ["seed", "stop"]);
});

it.each([
  [{ sede: 1 }, "sede"],
  [null, "null"],
  [5, "5"],
  ["seed", '"seed"'],
])("refuses %j, and says what there is", (options, got) => {
  expect(() => requireOptions(options, ["seed", "stop"])).toThrow(
    expect.objectContaining({
      code: "RR_OPTION",
      message: `expected an object with no options but seed, stop; got ${got}`,
    }),
  );
});
