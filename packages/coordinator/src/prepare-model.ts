import { hasTokenizer } from "@ringrank/model";
import type { PartitionPolicy } from "@ringrank/policy";
import { type Offload, planningThread, textThread } from "./offload/offload.js";
import type { Preparation } from "./offload/planning-service.js";
import type { TextService } from "./offload/text-service.js";
import type { CheckedLoadOptions } from "./options/load-options.js";
import { abortable, planOn } from "./plan-model.js";

/** What it takes to start the ranks of a model. */
export interface Prepared extends Preparation {
  readonly policy: PartitionPolicy;
  /** Undefined where the model has no tokenizer. */
  readonly texts: Offload<TextService> | undefined;
}

/**
 * Plans a model on a thread that ends with this, while another, which stays, loads its tokenizer. An abort ends both.
 *
 * @throws what planning and loading the tokenizer throw, or the reason of `signal`; no thread is left then
 */
export async function prepareModel(
  pathOrId: string,
  options: CheckedLoadOptions,
  start = { planning: planningThread, texts: textThread },
): Promise<Prepared> {
  await using planning = start.planning();
  return await abortable(options.signal, planning, async () => {
    const { policy, directory } = await planOn(planning, pathOrId, options);
    const texts = hasTokenizer(directory) ? start.texts() : undefined;
    try {
      const [preparation] = await Promise.all([
        planning.call((remote) => remote.prepare()),
        // Ended by itself: with all of the planning done, the end of its thread would stop nothing here.
        texts && abortable(options.signal, texts, () => texts.call((remote) => remote.open(directory))),
      ]);
      return { ...preparation, policy, texts };
    } catch (error) {
      await texts?.close();
      throw error;
    }
  });
}
