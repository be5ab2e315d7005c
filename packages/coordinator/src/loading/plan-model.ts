import { RingrankError } from "@ringrank/errors";
import { PartitionPolicy } from "@ringrank/policy/decision";
import { abortable } from "../offload/abortable.js";
import { type Offload, planningThread } from "../offload/offload.js";
import type { PlanningService } from "../offload/planning-service.js";
import { modelPath } from "../options/check.js";
import { type CheckedLoadOptions, checkPlanOptions } from "../options/check-load-options.js";
import type { PlanOptions } from "../options/load-options.js";

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
  { dtype, ranks, objective, memoryPerRank, precision, activations, policy: given }: CheckedLoadOptions,
): Promise<{ readonly policy: PartitionPolicy; readonly directory: string }> {
  const policy = given === undefined ? undefined : asJson(given);
  const reply = await planning.call((remote) =>
    remote.plan({ pathOrId, dtype, ranks, objective, memoryPerRank, precision, activations, policy }),
  );
  return { policy: new PartitionPolicy(reply.policy), directory: reply.directory };
}

/** A PartitionPolicy converts itself to JSON; a policy written by hand stays as it is. */
function asJson(policy: object): unknown {
  try {
    return JSON.parse(JSON.stringify(policy));
  } catch (cause) {
    const message = "policy: expected a PartitionPolicy or its JSON, got what JSON cannot hold";
    throw new RingrankError("RR_POLICY", message, { cause });
  }
}
