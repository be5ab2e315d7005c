import type { Segment, Step } from "@ringrank/policy";

/** By step: the values that it is the last to use, except outputs. */
export function lastUses(
  steps: readonly Step[],
  outputs: readonly { readonly name: string }[],
  segments: readonly Segment[],
): string[][] {
  const last = new Map<string, number>();
  for (const [at, step] of steps.entries()) {
    for (const value of touched(step, segments)) last.set(value, at);
  }
  for (const output of outputs) last.delete(output.name);
  const drops: string[][] = steps.map(() => []);
  for (const [value, at] of last) drops[at]!.push(value);
  return drops;
}

function touched(step: Step, segments: readonly Segment[]): readonly string[] {
  const added = "added" in step && step.added?.value !== undefined ? [step.added.value] : [];
  switch (step.kind) {
    case "run": {
      const values = step.values ?? segments[step.segment];
      return values === undefined ? [] : [...values.inputs, ...values.outputs];
    }
    case "product":
      return [step.value, ...step.outputs.map(({ name }) => name)];
    case "allReduce":
      return [step.value, ...added];
    case "allGather":
      return [step.value, step.output];
    case "normalize":
      return [step.value, step.output, ...added];
    case "routed":
      return [step.rows, step.weights, step.output];
    case "zeros":
      return [step.value];
  }
}
