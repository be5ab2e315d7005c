import { expect, test } from "vitest";
import { modelPath } from "./check.js";

test.each([
  [undefined, "model: expected a path or the id of a model, got undefined"],
  ["", 'model: expected a path or the id of a model, got ""'],
  [
    new URL("file:///models/one"),
    "model: expected a path or the id of a model (fileURLToPath gives that of a URL), got an object (URL)",
  ],
])("a model must be given by a path or an id, not by %o", (given, message) => {
  expect(() => modelPath(given)).toThrow(expect.objectContaining({ code: "RR_OPTION", message }));
});
