import { RingrankError } from "@ringrank/errors";
import type { PlanRequest } from "../offload/planning-service.js";
import type { CheckedLoadOptions } from "../options/check-load-options.js";

/**
 * What planning a model depends on, besides its files.
 *
 * @throws RR_POLICY if a given policy is not JSON
 */
export function planRequest(
  pathOrId: string,
  { dtype, ranks, objective, memoryPerRank, precision, activations, policy: given }: CheckedLoadOptions,
): PlanRequest {
  const policy = given === undefined ? undefined : asJson(given);
  return { pathOrId, dtype, ranks, objective, memoryPerRank, precision, activations, policy };
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
