import { type PlanOptions, planModel } from "@ringrank/coordinator";
import { modelFrom } from "../arguments/model.js";
import { withBoldHeader } from "../output/style.js";

export interface PlanFlags {
  readonly demo?: boolean;
  readonly dtype?: PlanOptions["dtype"];
  readonly ranks: number;
  readonly objective: "memory" | "time";
  readonly memoryPerRank?: number;
  readonly precision: "float32" | "int8" | "int4";
  readonly activations?: "float32" | "int8";
  readonly json?: boolean;
}

/** `ringrank plan`: prints who would hold what, and why. Reads no weights, starts no ranks. */
export async function plan(
  directory: string | undefined,
  flags: PlanFlags,
  signal: AbortSignal,
): Promise<void> {
  const { dtype, ranks, objective, memoryPerRank, precision, activations } = flags;
  const model = modelFrom(directory, flags.demo);
  const policy = await planModel(model, {
    dtype,
    ranks,
    objective,
    memoryPerRank,
    precision,
    activations,
    signal,
  });
  const text =
    flags.json === true
      ? JSON.stringify(policy.toJSON(), null, 2)
      : withBoldHeader(process.stdout, policy.table());
  process.stdout.write(`${text}\n`);
}
