import { hasTokenizer } from "@ringrank/model/serving";
import { PartitionPolicy } from "@ringrank/policy/decision";
import type { Plan } from "./kept-plan.js";
import { type Offload, planningThread, textThread } from "./offload/offload.js";
import type { TextService } from "./offload/text-service.js";
import type { CheckedLoadOptions } from "./options/load-options.js";
import { abortable, planOn } from "./plan-model.js";
import { productPlace } from "./product-place.js";

/** What it takes to start the ranks of a model. */
export interface Prepared {
  readonly plan: Plan;
  readonly policy: PartitionPolicy;
  /** Undefined where the model has no tokenizer. */
  readonly texts: Texts | undefined;
}

/** A thread that is loading its tokenizer. */
export interface Texts {
  readonly thread: Offload<TextService>;
  /** Rejects with what loading it throws, or the reason of the load's signal. */
  readonly isOpen: Promise<void>;
}

/**
 * Plans a model, on a thread that ends with this, or takes what an earlier load has planned. Another thread, which
 * stays, begins to load the tokenizer. An abort ends both.
 *
 * @param onDecided called as soon as the model is known to be one that can be divided, before its programs are written
 * @throws what planning throws, or the reason of `signal`; no thread is left then
 */
export async function prepareModel(
  pathOrId: string,
  options: CheckedLoadOptions,
  { kept, onDecided = () => {} }: { kept?: Plan | undefined; onDecided?: () => void } = {},
  start = { planning: planningThread, texts: textThread },
): Promise<Prepared> {
  const openTexts = (directory: string): Texts | undefined =>
    hasTokenizer(directory) ? openTokenizer(start.texts(), directory, options.signal) : undefined;
  if (kept !== undefined) {
    onDecided();
    return { plan: kept, policy: new PartitionPolicy(kept.policy), texts: openTexts(kept.directory) };
  }
  await using planning = start.planning();
  return await abortable(options.signal, planning, async () => {
    const { policy, directory } = await planOn(planning, pathOrId, options);
    onDecided();
    const texts = openTexts(directory);
    try {
      const preparation = await planning.call((remote) =>
        remote.prepare({ products: productPlace(options) }),
      );
      return { plan: { ...preparation, policy: policy.toJSON(), directory }, policy, texts };
    } catch (error) {
      await texts?.thread.close();
      throw error;
    }
  });
}

function openTokenizer(
  thread: Offload<TextService>,
  directory: string,
  signal: AbortSignal | undefined,
): Texts {
  const isOpen = abortable(signal, thread, () => thread.call((remote) => remote.open(directory)));
  // Whoever loads the model hears of it too, but perhaps after it has failed in another way.
  isOpen.catch(() => {});
  return { thread, isOpen };
}
