import { type LoadOptions, loadModel, type Model } from "@ringrank/coordinator";
import { printWarning } from "../errors.js";
import { LoadProgress } from "../output/load-progress.js";

/** Loads a model, and shows progress and warnings on standard error. */
export async function load(path: string, options: LoadOptions & { readonly ranks: number }): Promise<Model> {
  const progress = new LoadProgress(process.stderr, options.ranks);
  try {
    return await loadModel(path, {
      ...options,
      onProgress: (report) => progress.report(report),
      onWarning: (warning) => {
        progress.clear();
        printWarning(warning);
      },
    });
  } catch (error) {
    progress.clear();
    throw error;
  }
}
