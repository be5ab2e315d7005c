import { type LoadOptions, loadModel, type Model } from "@ringrank/coordinator";
import { afterAll, beforeAll } from "vitest";

/**
 * A model for all tests of the `describe` that calls this: loaded before the first of them, closed after the last.
 *
 * @returns gives the model, in a test
 */
export function loadedModel(path: string, options: LoadOptions): () => Model {
  let model: Model | undefined;
  beforeAll(async () => {
    model = await loadModel(path, options);
  });
  afterAll(() => model?.close());
  return () => model!;
}
