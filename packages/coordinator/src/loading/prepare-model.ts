import type { RingrankError } from "@ringrank/errors";
import { fileIdentity, hasTokenizer } from "@ringrank/model/serving";
import type { ProductKind } from "@ringrank/policy";
import { PartitionPolicy } from "@ringrank/policy/decision";
import { matrixBytes, ownProducts } from "@ringrank/rank-worker";
import { abortable } from "../offload/abortable.js";
import { type Offload, planningThread, textThread } from "../offload/offload.js";
import type { TextService } from "../offload/text-service.js";
import type { CheckedLoadOptions } from "../options/check-load-options.js";
import type { KeptPlan, Plan } from "./kept-plan.js";
import { type PlanningThread, planOn } from "./plan-model.js";
import { threadsLeft } from "./threads-left.js";

/** What is needed to start the ranks of a model. */
export interface Prepared {
  readonly plan: Plan;
  readonly policy: PartitionPolicy;
  /** Whether the plan comes from an earlier load. */
  readonly isKept: boolean;
  /** Why ranks do not compute products themselves, if they should. */
  readonly obstacle: RingrankError | undefined;
  /** Undefined if the model has no tokenizer. */
  readonly texts: Texts | undefined;
}

/** A thread that is loading its tokenizer. */
export interface Texts {
  readonly thread: Offload<TextService>;
  /** Rejects with the error of loading it, or with the reason of the load's signal. */
  readonly isOpen: Promise<void>;
}

/** Where a model is planned, where its texts are tokenized, and how many more threads there may be. */
export interface Threads {
  planning(): PlanningThread;
  texts(): Offload<TextService>;
  left(): number;
}

/** Threads of this model alone. */
export const ownThreads: Threads = { planning: planningThread, texts: textThread, left: () => threadsLeft() };

/** The ranks, as far as planning is concerned. */
export interface PlannedRanks {
  /** Called as soon as it is known that the model can be divided; perhaps more than once. */
  start(): void;
  /** `ThreadRankGroup.reserve`, for ranks that have been started. */
  reserve(matrixBytes: readonly number[]): Promise<RingrankError | undefined>;
}

/**
 * Plans a model on a temporary thread, or uses the plan of an earlier load. Another thread, which stays, starts loading
 * the tokenizer. An abort ends both.
 *
 * Products that ranks compute themselves are slow without memory for their kernels. If the ranks cannot have that
 * memory, their programs are built again without such products.
 *
 * @throws what planning throws, what starting the ranks and reserving memory throws, or the reason of `signal`; no
 * other thread than the ranks' is left then
 */
export async function prepareModel(
  pathOrId: string,
  options: CheckedLoadOptions,
  ranks: PlannedRanks,
  keptPlan?: KeptPlan,
  threads: Pick<Threads, "planning" | "texts"> = ownThreads,
): Promise<Prepared> {
  // The caller has reported progress, and the listener may have aborted.
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

/**
 * The plan of an earlier load; undefined if there is none, or if it is for ranks with more or less memory than these.
 */
async function prepareKept(
  ranks: PlannedRanks,
  keptPlan: KeptPlan | undefined,
): Promise<Pick<Prepared, "plan" | "obstacle" | "isKept"> | undefined> {
  if (!keptPlan?.isThere) return undefined;
  ranks.start();
  const kept = keptPlan.read();
  if (kept === undefined) return undefined;
  // The files of the earlier load may be other copies, which the cache identifies with these.
  const plan = { ...kept, files: kept.files.map(({ path }) => fileIdentity(path)) };
  const obstacle = await reserveFor(ranks, plan.refused ?? plan.programs.map(matrixBytes));
  if ((obstacle === undefined) === (plan.refused === undefined)) return { plan, obstacle, isKept: true };
  keptPlan.remove();
  return undefined;
}

/** Does not ask the ranks if the model has no such products. */
async function reserveFor(ranks: PlannedRanks, bytes: readonly number[]): Promise<RingrankError | undefined> {
  return bytes.some((count) => count > 0) ? await ranks.reserve(bytes) : undefined;
}

function openTokenizer(
  thread: Offload<TextService>,
  directory: string,
  signal: AbortSignal | undefined,
): Texts {
  const isOpen = abortable(signal, thread, () => thread.call((remote) => remote.open(directory)));
  // The load reports this error too, but perhaps only after it has failed in another way.
  isOpen.catch(() => {});
  return { thread, isOpen };
}
