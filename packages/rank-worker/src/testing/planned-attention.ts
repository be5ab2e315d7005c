import { type AttentionOverCache, buildPrograms, planGraph, type Segment } from "@ringrank/policy";
import { type AttentionCase, type AttentionInput, attentionGraph } from "./attention-reference.js";

/** The attention of {@link attentionGraph} in a program for one rank. */
export interface PlannedAttention {
  readonly plan: AttentionOverCache;
  /** The segment that runs blocks of rows. */
  readonly block: Segment;
  /** The same inputs by the plan's names: addends come from a node, which the policy names. */
  named(inputs: Readonly<Record<string, AttentionInput>>): Map<string, AttentionInput>;
}

export function plannedAttention(options: AttentionCase): PlannedAttention {
  const graph = attentionGraph(options);
  const [program] = buildPrograms(graph, planGraph(graph, { ranks: 1 }));
  const plans = program!.entries.forward!.steps.flatMap((step) =>
    step.kind === "run" && step.attention !== undefined ? [step.attention] : [],
  );
  const [plan] = plans;
  const nameOf = (name: string): string =>
    name.startsWith("addend") ? plan!.addends[Number(name.slice("addend".length))]! : name;
  return {
    plan: plan!,
    block: program!.segments[plan!.block!]!,
    named: (inputs) => new Map(Object.entries(inputs).map(([name, input]) => [nameOf(name), input])),
  };
}
