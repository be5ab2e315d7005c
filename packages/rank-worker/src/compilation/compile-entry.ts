import type { Addends, Entry, Step } from "@ringrank/policy";
import type { CompiledEntry, PlacedStep } from "../execution/compiled-entry.js";
import { InputSizes } from "../execution/input-sizes.js";
import { CompiledAllGather } from "../execution/steps/compiled-all-gather.js";
import { type Added, CompiledAllReduce } from "../execution/steps/compiled-all-reduce.js";
import { CompiledNormalization } from "../execution/steps/compiled-normalization.js";
import { CompiledRouting } from "../execution/steps/compiled-routing.js";
import type { CompiledStep } from "../execution/steps/compiled-step.js";
import { CompiledZeros } from "../execution/steps/compiled-zeros.js";
import { Addition } from "../normalization/addition.js";
import { Normalization } from "../normalization/normalization.js";
import { compileExperts } from "./compile-experts.js";
import { ProductCompiler } from "./compile-product.js";
import { type NextStep, RunCompiler } from "./compile-run.js";
import { type CompileContext, EntryScope } from "./entry-scope.js";
import { joinKernelSteps } from "./join-kernel-steps.js";
import { lastUses } from "./last-uses.js";

/** @throws RR_POLICY if a step uses a value that no earlier step, input or weight defines */
export function compileEntry(name: string, entry: Entry, context: CompileContext): CompiledEntry {
  const scope = new EntryScope(name, entry, context);
  const { kernels, attention } = context;
  const steps = compileSteps(scope, entry);
  const { cacheSteps = steps.length, outputSteps = {} } = entry;
  const placed: PlacedStep[] = [];
  // A run may end after each of these, so steps are not joined across them.
  const ends = [...new Set([cacheSteps, ...Object.values(outputSteps), steps.length])].sort((a, b) => a - b);
  const placedBy = new Map<number, number>();
  for (const [index, end] of ends.entries()) {
    placed.push(...joinKernelSteps(steps.slice(ends[index - 1] ?? 0, end), kernels));
    placedBy.set(end, placed.length);
  }
  const { indices } = scope;
  return {
    entry,
    values: indices.size,
    sizes: new InputSizes(entry.inputs),
    outputs: entry.outputs.map(({ name }) => indices.get(name)),
    steps: withMeanwhile(placed),
    cacheSteps: placedBy.get(cacheSteps)!,
    outputSteps: new Map(Object.entries(outputSteps).map(([name, end]) => [name, placedBy.get(end)!])),
    attention,
  };
}

/** Steps over one table, in order. The last user of a value drops it, unless it is among the outputs. */
export function compileSteps(
  scope: EntryScope,
  { steps, outputs }: Pick<Entry, "steps"> & { readonly outputs: readonly { readonly name: string }[] },
): PlacedStep[] {
  const compiler = new StepCompiler(scope);
  const drops = lastUses(steps, outputs, scope.context.segments);
  return steps.map((step, at) => {
    const next = { step: steps[at + 1], drop: drops[at + 1] ?? [] };
    return { step: compiler.compile(step, next), drop: drops[at]!.map(scope.use) };
  });
}

function withMeanwhile(steps: readonly PlacedStep[]): PlacedStep[] {
  let meanwhile: PlacedStep["meanwhile"];
  const reversed = steps.toReversed().map((placed): PlacedStep => {
    const one = { ...placed, meanwhile };
    meanwhile = placed.step.headStart?.advance ?? meanwhile;
    return one;
  });
  return reversed.reverse();
}

class StepCompiler {
  readonly #scope: EntryScope;
  readonly #runs: RunCompiler;
  readonly #products: ProductCompiler;

  constructor(scope: EntryScope) {
    this.#scope = scope;
    this.#runs = new RunCompiler(scope);
    this.#products = new ProductCompiler(scope, this.#runs);
  }

  compile(step: Step, next: NextStep): CompiledStep {
    const scope = this.#scope;
    switch (step.kind) {
      case "run":
        return this.#runs.compile(step);
      case "product":
        return this.#products.compile(step, next);
      case "allReduce":
        return new CompiledAllReduce(
          scope.named(step.value),
          step.operation ?? "sum",
          this.#added(step.added),
        );
      case "allGather":
        return new CompiledAllGather(scope.named(step.value), scope.define(step.output), step.shard);
      case "zeros":
        return new CompiledZeros(scope.define(step.value), step.type ?? "float32", step.dims);
      case "normalize": {
        const { kernels } = scope.context;
        const normalization = new Normalization(step, scope.weightOf, kernels);
        const value = scope.named(step.value);
        return new CompiledNormalization(
          normalization,
          value,
          scope.addend(step.added),
          scope.define(step.output),
        );
      }
      case "routed": {
        const experts = compileExperts(step, scope);
        const [rows, weights] = [scope.named(step.rows), scope.named(step.weights)];
        return new CompiledRouting(experts, {
          rows,
          weights,
          output: scope.define(step.output),
          dims: step.dims,
        });
      }
    }
  }

  #added(added: Addends | undefined): Added | undefined {
    if (added === undefined) return undefined;
    const { weightOf, context } = this.#scope;
    const rows = added.rows.map((row) => weightOf(row).data as Float32Array);
    return { addition: new Addition(rows, context.kernels), addend: this.#scope.addend(added) };
  }
}
