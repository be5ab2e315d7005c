import type { RingrankError } from "@ringrank/errors";
import { fileIdentity, hasTokenizer } from "@ringrank/model/serving";
import type { ProductKind } from "@ringrank/policy";
import { PartitionPolicy } from "@ringrank/policy/decision";
import { matrixBytes, ownProducts } from "@ringrank/rank-worker";
import type { KeptPlan, Plan } from "./kept-plan.js";
import { abortable } from "./offload/abortable.js";
import { type Offload, planningThread, textThread } from "./offload/offload.js";
import type { TextService } from "./offload/text-service.js";
import type { CheckedLoadOptions } from "./options/check-load-options.js";
import { planOn } from "./plan-model.js";

/** What it takes to start the ranks of a model. */
export interface Prepared {
  readonly plan: Plan;
  readonly policy: PartitionPolicy;
  /** Whether an earlier load has planned it. */
  readonly isKept: boolean;
  /** Why ranks do not multiply themselves, where they should. */
  readonly obstacle: RingrankError | undefined;
  /** Undefined where the model has no tokenizer. */
  readonly texts: Texts | undefined;
}

/** A thread that is loading its tokenizer. */
export interface Texts {
  readonly thread: Offload<TextService>;
  /** Rejects with what loading it throws, or the reason of the load's signal. */
  readonly isOpen: Promise<void>;
}

/** The ranks, as far as planning has to do with them. */
export interface PlannedRanks {
  /** Called as soon as the model is known to be one that can be divided; perhaps more than once. */
  start(): void;
  /** As `ThreadRankGroup.reserve`, of ranks that have been started. */
  reserve(matrixBytes: readonly number[]): Promise<RingrankError | undefined>;
}

/**
 * Plans a model, on a thread that ends with this, or takes what an earlier load has planned. Another thread, which
 * stays, begins to load the tokenizer. An abort ends both.
 *
 * Products that ranks compute themselves are slow without memory for their kernels. Where the ranks cannot have it,
 * their programs are written again, without such products.
 *
 * @throws what planning throws, what starting ranks and asking them throws, or the reason of `signal`; no thread is
 * left then but the ranks'
 */
export async function prepareModel(
  pathOrId: string,
  options: CheckedLoadOptions,
  ranks: PlannedRanks,
  keptPlan?: KeptPlan,
  threads = { planning: planningThread, texts: textThread },
): Promise<Prepared> {
  // Its caller has told of its progress, and whoever heard of it may have aborted.
  options.signal?.throwIfAborted();
  const openTexts = (directory: string): Texts | undefined =>
    hasTokenizer(directory) ? openTokenizer(threads.texts(), directory, options.signal) : undefined;
  const kept = await prepareKept(ranks, keptPlan);
  if (kept !== undefined) {
    const { plan } = kept;
    return { ...kept, policy: new PartitionPolicy(plan.policy), texts: openTexts(plan.directory) };
  }
  await using planning = threads.planning();
  return await abortable(options.signal, planning, async () => {
    const { policy, directory } = await planOn(planning, pathOrId, options);
    ranks.start();
    const texts = openTexts(directory);
    const prepare = (products: readonly ProductKind[]) =>
      planning.call((remote) => remote.prepare({ products }));
    try {
      const wanted = await prepare(ownProducts(options.threadsPerRank));
      const bytes = wanted.programs.map(matrixBytes);
      const obstacle = await reserveFor(ranks, bytes);
      const preparation = obstacle === undefined ? wanted : { ...(await prepare([])), refused: bytes };
      const plan = { ...preparation, policy: policy.toJSON(), directory };
      return { plan, policy, texts, obstacle, isKept: false };
    } catch (error) {
      await texts?.thread.close();
      throw error;
    }
  });
}

/** What an earlier load has planned; undefined where it has not, or for ranks with more or less memory than these. */
async function prepareKept(
  ranks: PlannedRanks,
  keptPlan: KeptPlan | undefined,
): Promise<Pick<Prepared, "plan" | "obstacle" | "isKept"> | undefined> {
  if (!keptPlan?.isThere) return undefined;
  ranks.start();
  const kept = keptPlan.read();
  if (kept === undefined) return undefined;
  // Those of the load that planned may be other copies, which the cache knows for the same.
  const plan = { ...kept, files: kept.files.map(({ path }) => fileIdentity(path)) };
  const obstacle = await reserveFor(ranks, plan.refused ?? plan.programs.map(matrixBytes));
  if ((obstacle === undefined) === (plan.refused === undefined)) return { plan, obstacle, isKept: true };
  keptPlan.remove();
  return undefined;
}

/** Asks no rank of a model without such products. */
async function reserveFor(ranks: PlannedRanks, bytes: readonly number[]): Promise<RingrankError | undefined> {
  return bytes.some((count) => count > 0) ? await ranks.reserve(bytes) : undefined;
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
