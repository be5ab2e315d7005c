import { InvalidArgumentError } from "commander";

/** Variables of a chat template: `{"enable_thinking": false}`. The library checks what is in it. */
export function parseVariables(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // What is no JSON gets the same message as what is no object.
  }
  throw new InvalidArgumentError('Expected a JSON object, such as {"enable_thinking": false}.');
}
