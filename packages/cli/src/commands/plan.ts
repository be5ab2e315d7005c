import { type PlanOptions, planModel } from "@ringrank/coordinator";
import { modelFrom } from "../arguments/model.js";
import { print } from "../output/print.js";
import { withBoldHeader } from "../output/style.js";

export interface PlanFlags extends Omit<PlanOptions, "signal"> {
  readonly demo?: boolean;
  readonly json?: boolean;
}

/** `ringrank plan`: prints who would hold what, and why. Reads no weights, starts no ranks. */
export async function plan(
  directory: string | undefined,
  flags: PlanFlags,
  signal: AbortSignal,
): Promise<void> {
  const { demo, json, ...options } = flags;
  const policy = await planModel(modelFrom(directory, demo), { ...options, signal });
  const text =
    json === true ? JSON.stringify(policy.toJSON(), null, 2) : withBoldHeader(process.stdout, policy.table());
  await print(`${text}\n`);
}
