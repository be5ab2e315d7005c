import { expect, test } from "vitest";
import { unsupportedSettings } from "./warnings.js";

test.each([
  [["num_beams"], "sets num_beams, which", "remove it from generation_config.json"],
  [
    ["num_beams", "min_length"],
    "sets num_beams, min_length, which",
    "remove them from generation_config.json",
  ],
])("unsupported settings %j are named, with what to do about them", (names, naming, advice) => {
  const { code, message } = unsupportedSettings(names);
  expect(code).toBe("RR_UNSUPPORTED_SETTING");
  expect(message).toContain(naming);
  expect(message).toContain(advice);
});
