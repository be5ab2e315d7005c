import { type LoadOptions, loadModel, type Model } from "@ringrank/coordinator";
import { afterAll, beforeAll } from "vitest";

/**
 * A model for all tests of the `describe` that calls this: loaded before its first test, closed after its last.
 *
 * @returns a function that returns the model, within a test
 */
export function loadedModel(path: string, options: LoadOptions): () => Model {
  let model: Model | undefined;
  beforeAll(async () => {
    model = await loadModel(path, options);
  });
  afterAll(() => model?.close());
  return () => model!;
}
