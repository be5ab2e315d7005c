import type { Addends, Entry, Step } from "@ringrank/policy";
import { Addition } from "../addition/addition.js";
import type { AttentionKernel } from "../attention/attention-kernel.js";
import { Normalization } from "../normalization/normalization.js";
import { AllGatherStep } from "./all-gather-step.js";
import { type Added, AllReduceStep } from "./all-reduce-step.js";
import { ProductCompiler } from "./compile-product.js";
import { type NextStep, RunCompiler } from "./compile-run.js";
import type { CompiledStep } from "./compiled-step.js";
import { type CompileContext, EntryScope } from "./entry-scope.js";
import { lastUses } from "./last-uses.js";
import { NormalizeStep } from "./normalize-step.js";
import { RoutedStep } from "./routed-step.js";
import { SessionCall } from "./session-call.js";
import { splitStacks } from "./split-stacks.js";
import { ZerosStep } from "./zeros-step.js";

/** An entry that is ready to run: names have been looked up, so a run only uses indices into a table of values. */
export interface CompiledEntry {
  readonly entry: Entry;
  /** Index of every value in the table. */
  readonly indices: ReadonlyMap<string, number>;
  readonly steps: readonly PlacedStep[];
  readonly attention: AttentionKernel | undefined;
}

/** A step and its context. */
export interface PlacedStep {
  readonly step: CompiledStep;
  /** Values that are not needed after it. */
  readonly drop: readonly number[];
  /** From the first later step that has one: what to do while this one waits for other ranks. */
  readonly meanwhile: (() => void) | undefined;
}

/** @throws RR_POLICY if a step uses a value that no earlier step, input or weight defines */
export function compileEntry(name: string, entry: Entry, context: CompileContext): CompiledEntry {
  const scope = new EntryScope(name, entry, context);
  const compiler = new StepCompiler(scope);
  const drops = lastUses(entry, context.segments);
  const compiled = entry.steps.map((step, at) => {
    const next = { step: entry.steps[at + 1], drop: drops[at + 1] ?? [] };
    return { step: compiler.compile(step, next), drop: drops[at]!.map(scope.use) };
  });
  let meanwhile: PlacedStep["meanwhile"];
  const steps = compiled.reverse().map(({ step, drop }): PlacedStep => {
    const placed = { step, drop, meanwhile };
    meanwhile = step.headStart?.turn ?? meanwhile;
    return placed;
  });
  return { entry, indices: scope.indices, steps: steps.reverse(), attention: context.attention };
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
        return new AllReduceStep(scope.named(step.value), step.operation ?? "sum", this.#added(step.added));
      case "allGather":
        return new AllGatherStep(scope.named(step.value), scope.define(step.output), step.shard);
      case "zeros":
        return new ZerosStep(scope.define(step.value), step.type ?? "float32", step.dims);
      case "normalize": {
        const { kernels } = scope.context;
        const normalization = new Normalization(step, scope.weightOf, kernels, scope.given.has(step.output));
        const value = scope.named(step.value);
        return new NormalizeStep(normalization, value, scope.addend(step.added), scope.define(step.output));
      }
      case "routed": {
        const { segment, perExpert, dims } = step;
        const call = new SessionCall(segment, scope.session(segment), { outputs: [perExpert] });
        const experts = splitStacks(step.stacks.map((stack) => [stack, scope.weightOf(stack)]));
        const [rows, weights] = [scope.named(step.rows), scope.named(step.weights)];
        const output = scope.define(step.output);
        return new RoutedStep(call, { experts, perExpert }, { rows, weights, output, dims });
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
