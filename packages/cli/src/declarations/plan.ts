import type { Command } from "commander";
import { type PlanFlags, plan } from "../commands/plan.js";
import { exitCodesHelp } from "../exit-codes.js";
import * as shared from "./shared-options.js";

const planExamples = `
Examples:
  $ ringrank plan --demo --ranks 4
  $ ringrank plan path/to/model --ranks 8                needs no more than the model's config.json
  $ ringrank plan path/to/model --ranks 8 --memory-per-rank 24GB
  $ ringrank plan path/to/model --ranks 8 --json > policy.json

${exitCodesHelp}`;

/** Declares `ringrank plan`. */
export function declarePlan(program: Command, signal: AbortSignal): void {
  program
    .command("plan")
    .description("Print how a model would be divided, and why. Reads no weights.")
    .addArgument(shared.model)
    .addOption(shared.demo)
    .addOption(shared.dtype)
    .addOption(shared.ranks)
    .option("--json", "print the policy as JSON, for ringrank run --policy")
    .addOption(shared.objective)
    .addOption(shared.memoryPerRank)
    .addOption(shared.precision)
    .addOption(shared.activations)
    .addHelpText("after", planExamples)
    .action((directory: string | undefined, flags: PlanFlags) => plan(directory, flags, signal));
}
