import { type LoadOptions, loadModel, type Model } from "@ringrank/coordinator";
import { afterAll, beforeAll } from "vitest";
import { loadModelOn } from "../../packages/coordinator/dist/loading/load-model.js";
import type { PlanningThread } from "../../packages/coordinator/dist/loading/plan-model.js";
import { ownThreads, type Threads } from "../../packages/coordinator/dist/loading/prepare-model.js";
import { planningThread } from "../../packages/coordinator/dist/offload/offload.js";

/**
 * A model for all tests of the `describe` that calls this: loaded before its first test, closed after its last.
 *
 * @returns a function that returns the model, within a test
 */
export function loadedModel(path: string, options: LoadOptions): () => Model {
  let model: Model | undefined;
  beforeAll(async () => {
    model = await load(path, options);
  });
  afterAll(() => model?.close());
  return () => model!;
}

/** As `loadModel`, on the file's planning thread if it has one ({@link planOnOneThread}). */
export function load(path: string, options: LoadOptions): Promise<Model> {
  return shared === undefined ? loadModel(path, options) : loadModelOn(shared, path, options);
}

/**
 * The models of the file that calls this are planned on one thread, one after the other. Code that plans takes longer
 * to compile than to plan a small model.
 */
export function planOnOneThread(): void {
  beforeAll(() => {
    const planning = planningThread();
    const staying = async (): Promise<void> => {};
    const planner: PlanningThread = {
      call: (use) => planning.call(use),
      close: staying,
      [Symbol.asyncDispose]: staying,
    };
    shared = { ...ownThreads, planning: () => planner };
    return async () => {
      shared = undefined;
      await planning.close();
    };
  });
}

let shared: Threads | undefined;
