import { PartitionPolicy } from "@ringrank/policy/decision";
import { abortable } from "../offload/abortable.js";
import { type Offload, planningThread } from "../offload/offload.js";
import type { PlanningService } from "../offload/planning-service.js";
import { modelPath } from "../options/check.js";
import { type CheckedLoadOptions, checkPlanOptions } from "../options/check-load-options.js";
import type { PlanOptions } from "../options/load-options.js";
import { planRequest } from "./plan-request.js";

/**
 * Decides how a model would be divided, from its config and the headers of its weight files (config.json alone is
 * enough), on a thread of its own. No rank is started and no weight is read.
 *
 * @param pathOrCachedId a HuggingFace model directory, an `.onnx` file, a directory of such files, or the id of a model
 * in the local HuggingFace cache; nothing is downloaded
 * @throws RR_RANKS, RR_OPTION; RR_NOT_A_MODEL, RR_MISSING_FILE, RR_FILE_FORMAT, RR_PATH, RR_CONFIG,
 * RR_UNKNOWN_ARCHITECTURE, RR_TENSOR, RR_GRAPH; RR_NOTHING_SHARDED, RR_MEMORY; or the reason of `signal`
 */
export async function planModel(pathOrCachedId: string, options: PlanOptions = {}): Promise<PartitionPolicy> {
  const checked = checkPlanOptions(options);
  const path = modelPath(pathOrCachedId);
  checked.signal?.throwIfAborted();
  await using planning = planningThread();
  return await abortable(checked.signal, planning, async () => {
    return (await planOn(planning, path, checked)).policy;
  });
}

/** The thread that plans, as far as its users need it. */
export type PlanningThread = Pick<Offload<PlanningService>, "call" | "close" | typeof Symbol.asyncDispose>;

/** Plans on a given thread, which keeps the model open. */
export async function planOn(
  planning: PlanningThread,
  pathOrId: string,
  options: CheckedLoadOptions,
): Promise<{ readonly policy: PartitionPolicy; readonly directory: string }> {
  const request = planRequest(pathOrId, options);
  const reply = await planning.call((remote) => remote.plan(request));
  return { policy: new PartitionPolicy(reply.policy), directory: reply.directory };
}
