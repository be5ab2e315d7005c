import { expect, it } from "vitest";
import * as moduleOfOptions from "./require-options.js";

const { requireOptions } = moduleOfOptions;

it("accepts any of the known options", () => {
  for (const options of [{}, { seed: 1 }, { seed: undefined, stop: "x" }])
    requireOptions(options, ["seed", "stop"]);
});

it("accepts objects of any class of the caller's, without a class, and modules", () => {
  class Settings {
    readonly seed = 1;
  }
  for (const options of [new Settings(), Object.create(null), Object.create({ seed: 1 })])
    requireOptions(options, ["seed", "stop"]);
  requireOptions(moduleOfOptions, ["requireOptions"]);
});

it.each([
  ["an object (Map)", new Map([["seed", 1]])],
  ["an object (AbortSignal)", new AbortController().signal],
  ["an object (Promise)", Promise.resolve({ seed: 1 })],
  ["an array of 1", [undefined]],
  ["an array of 0", []],
])("refuses %s, which has no options", (got, options) => {
  expect(() => requireOptions(options, ["seed", "stop"])).toThrow(
    expect.objectContaining({ code: "RR_OPTION", message: expect.stringContaining(`; got ${got}`) }),
  );
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
