import { RingrankError } from "@ringrank/errors";
import { PartitionPolicy } from "@ringrank/policy/decision";
import { type Offload, planningThread } from "./offload/offload.js";
import type { PlanningService } from "./offload/planning-service.js";
import { onAbort } from "./on-abort.js";
import { optionError } from "./options/check.js";
import { type CheckedLoadOptions, checkPlanOptions, type PlanOptions } from "./options/load-options.js";

/**
 * Decides how a model would be divided, from its config and the headers of its weight files (config.json alone is
 * enough), on a thread of its own. No rank is started and no weight is read.
 *
 * @param pathOrCachedId a HuggingFace model directory, an `.onnx` file, a directory of such files, or an id that the
 * local HuggingFace cache has; nothing is downloaded
 * @throws RR_RANKS, RR_OPTION; RR_NOT_A_MODEL, RR_MISSING_FILE, RR_FILE_FORMAT, RR_PATH, RR_CONFIG,
 * RR_UNKNOWN_ARCHITECTURE, RR_TENSOR, RR_GRAPH; RR_NOTHING_SHARDED, RR_MEMORY; or the reason of `signal`
 */
export async function planModel(pathOrCachedId: string, options: PlanOptions = {}): Promise<PartitionPolicy> {
  requirePath(pathOrCachedId);
  const checked = checkPlanOptions(options);
  checked.signal?.throwIfAborted();
  await using planning = planningThread();
  return await abortable(checked.signal, planning, async () => {
    return (await planOn(planning, pathOrCachedId, checked)).policy;
  });
}

/** Plans on a given thread, which then has the model open. */
export async function planOn(
  planning: Offload<PlanningService>,
  pathOrId: string,
  { dtype, ranks, objective, memoryPerRank, precision, activations, policy: given }: CheckedLoadOptions,
): Promise<{ readonly policy: PartitionPolicy; readonly directory: string }> {
  const policy = given === undefined ? undefined : asJson(given);
  const reply = await planning.call((remote) =>
    remote.plan({ pathOrId, dtype, ranks, objective, memoryPerRank, precision, activations, policy }),
  );
  return { policy: new PartitionPolicy(reply.policy), directory: reply.directory };
}

/** Runs `work`; an aborted signal ends the thread it works on, and with it the work, with the signal's reason. */
export async function abortable<Result>(
  signal: AbortSignal | undefined,
  offload: Pick<Offload<unknown>, "close">,
  work: () => Promise<Result>,
): Promise<Result> {
  const settled = onAbort(signal, () => void offload.close(signal?.reason));
  try {
    return await work();
  } finally {
    settled();
  }
}

/** @throws RR_OPTION */
export function requirePath(value: unknown): void {
  if (typeof value !== "string" || value === "")
    throw optionError("model", "a path or the id of a model", value);
}

/** A PartitionPolicy turns into its JSON by itself; what anybody wrote by hand stays as it is. */
function asJson(policy: object): unknown {
  try {
    return JSON.parse(JSON.stringify(policy));
  } catch (cause) {
    const message = "policy: expected a PartitionPolicy or its JSON, got what JSON cannot hold";
    throw new RingrankError("RR_POLICY", message, { cause });
  }
}
