import { expect, test } from "vitest";
import { systemMessages } from "./system-messages.js";

test("an empty system message is one, unlike none", () => {
  expect(systemMessages("")).toEqual([{ role: "system", content: "" }]);
  expect(systemMessages(undefined)).toEqual([]);
});
