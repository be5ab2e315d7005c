import { describe, expect, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { parseJsonObject } from "../files/json.js";
import { ConfigReader, configLimits } from "./config-reader.js";

function reader(object: object): ConfigReader {
  const bytes = Buffer.from(JSON.stringify(object));
  return new ConfigReader(parseJsonObject(bytes, "config.json", { maxBytes: 1e6 }), "here/config.json");
}

test("takes the first of several names that is present; null means absent", () => {
  const config = reader({ n_embd: 64, hidden_size: null, d_model: 32 });
  expect(config.integer(["hidden_size", "n_embd", "d_model"])).toBe(64);
  expect(config.has("hidden_size")).toBe(false);
});

test("an absent field takes its default, or is an error with all possible names", () => {
  const config = reader({});
  expect(config.integer("layers", { default: 3 })).toBe(3);
  expect(config.optionalInteger("layers")).toBeUndefined();
  expect(config.boolean("bias", { default: false })).toBe(false);
  const error = expectCode("RR_CONFIG", () => config.integer(["n_layer", "num_hidden_layers"]));
  expect(error.message).toMatch(/here\/config\.json.*"n_layer" or "num_hidden_layers".*absent/);
});

test("names inherited by objects are absent", () => {
  expect(reader({}).has(["constructor", "toString", "__proto__"])).toBe(false);
});

describe("refuses invalid counts:", () => {
  test.each([0, -1, 1.5, 2 ** 31 + 1, 1e300, "64", true, [64], {}])("%j", (value) => {
    const error = expectCode("RR_CONFIG", () =>
      reader({ hidden_size: value }).integer("hidden_size", { default: 1 }),
    );
    expect(error.message).toContain(`got ${JSON.stringify(value)}`);
  });

  test("refuses ten thousand and one layers", () => {
    const layers = { max: configLimits.layers };
    expect(reader({ n: 10_000 }).integer("n", layers)).toBe(10_000);
    expectCode("RR_CONFIG", () => reader({ n: 10_001 }).integer("n", layers));
  });
});

test("refuses a value of the wrong type, even if there is a default", () => {
  const config = reader({ a: "true", b: 1, c: ["x", 1], d: [1], f: "1" });
  expectCode("RR_CONFIG", () => config.boolean("a", { default: true }));
  expectCode("RR_CONFIG", () => config.string("b", { default: "" }));
  expectCode("RR_CONFIG", () => config.optionalStrings("c"));
  expectCode("RR_CONFIG", () => config.optionalObject("d"));
  expectCode("RR_CONFIG", () => config.number("f", { default: 1 }));
});

test("accepts one of several choices, and lists them in the error for another", () => {
  const config = reader({ act: "silu", bad: "softsign" });
  expect(config.oneOf("act", ["gelu", "silu"])).toBe("silu");
  expect(expectCode("RR_CONFIG", () => config.oneOf("bad", ["gelu", "silu"])).message).toContain(
    "gelu, silu",
  );
});

test("accepts a number within its range", () => {
  const config = reader({ eps: 1e-5, zero: 0 });
  expect(config.number("eps")).toBe(1e-5);
  expectCode("RR_CONFIG", () => config.number("zero", { min: Number.MIN_VALUE }));
});

test("accepts one integer or a list of integers", () => {
  const config = reader({ one: 2, list: [2, 3], bad: [2, -3] });
  expect(config.optionalIntegers("one")).toEqual([2]);
  expect(config.optionalIntegers("list")).toEqual([2, 3]);
  expectCode("RR_CONFIG", () => config.optionalIntegers("bad"));
});

test("errors in a nested object name its path", () => {
  const nested = reader({ text_config: { layers: "x" } }).object("text_config");
  expect(expectCode("RR_CONFIG", () => nested.integer("layers")).message).toContain("text_config");
});
