import type { AttentionOverCache, ProductStep, RunStep, Step } from "@ringrank/policy";
import { BlockAttention } from "../attention/block-attention.js";
import { BlockMasks } from "../attention/block-masks.js";
import { ElementwiseRoom } from "../elementwise/elementwise-room.js";
import { ElementwiseShortcut } from "../elementwise/elementwise-shortcut.js";
import { InstructionList } from "../elementwise/instruction-list.js";
import { CompiledActivation } from "../execution/steps/compiled-activated-product.js";
import { type AttentionBlocks, CompiledAttention } from "../execution/steps/compiled-attention.js";
import { CompiledElementwise } from "../execution/steps/compiled-elementwise.js";
import { CompiledSegment, type SegmentValues } from "../execution/steps/compiled-segment.js";
import { CompiledShortcut } from "../execution/steps/compiled-shortcut.js";
import type { CompiledStep, NamedIndex } from "../execution/steps/compiled-step.js";
import { Interpreter } from "../interpreter/interpreter.js";
import { weightsOfTables } from "../loading/row-files.js";
import type { Epilogue } from "../products/epilogue.js";
import type { EntryScope } from "./entry-scope.js";

/** The step after another one, and the values that are not needed after it. */
export interface NextStep {
  readonly step: Step | undefined;
  readonly drop: readonly string[];
}

/** Compiles steps that run a segment: by its session, and by any faster way that the segment allows. */
export class RunCompiler {
  readonly #scope: EntryScope;
  readonly #masks = new BlockMasks();
  /** Indices in the table of the results of products with an epilogue. */
  readonly #madeByEpilogues = new Set<number>();

  constructor(scope: EntryScope) {
    this.#scope = scope;
  }

  compile({ segment: index, values, attention }: RunStep): CompiledStep {
    const scope = this.#scope;
    const segment = scope.segment(index);
    const { inputs, outputs } = values ?? segment;
    const tabled = {
      feeds: segment.inputs.map((name, at) => ({ name, index: scope.use(inputs[at]!) })),
      sharedWeights: Object.fromEntries(
        segment.sharedWeights.map((weight) => [weight, scope.weightOf(weight)]),
      ),
      results: segment.outputs.map((name, at) => ({ name, index: scope.define(outputs[at]!) })),
    };
    const step = new CompiledSegment(scope.call(index), tabled, this.#room(index, tabled));
    if (attention !== undefined) {
      const row = scope.context.attention?.rowAttention(attention, scope.use);
      return new CompiledAttention(index, row, this.#blocks(attention), step);
    }
    const interpreter = this.#interpreter(index, tabled, outputs);
    if (interpreter !== undefined) return new CompiledShortcut("interpreting", index, interpreter, step);
    const shortcut = this.#elementwise(index, tabled);
    if (shortcut === undefined) return step;
    const elementwise = new CompiledElementwise(index, shortcut, step);
    const [made] = tabled.results;
    return made !== undefined && this.#madeByEpilogues.has(made.index)
      ? new CompiledActivation(made.index, elementwise)
      : elementwise;
  }

  /**
   * The elementwise work of the next step, if it is the only use of a product. The product then does this work, and the
   * next step, once compiled, does nothing if it has been done.
   */
  epilogueOf(
    { outputs }: ProductStep,
    { step, drop }: NextStep,
  ): { readonly epilogue: Epilogue; readonly made: number } | undefined {
    if (step?.kind !== "run") return undefined;
    const values = step.values ?? this.#scope.segment(step.segment);
    const products = outputs.map(({ name }) => name);
    const inputs = values.inputs.map((name) => products.indexOf(name));
    const isAll = inputs.every((at) => at !== -1) && products.every((name) => drop.includes(name));
    const list = this.#instructionList(step.segment);
    const name = values.outputs[0]!;
    if (!isAll || !list?.endsWithOutput) return undefined;
    const made = this.#scope.define(name);
    this.#madeByEpilogues.add(made);
    return { epilogue: { list, inputs }, made };
  }

  #instructionList(index: number): InstructionList | undefined {
    const { elementwise: plan, inputs } = this.#scope.segment(index);
    const { kernels } = this.#scope.context;
    if (plan === undefined || kernels === undefined) return undefined;
    const { instructions } = this.#scope.bySegment;
    const list = instructions.get(index) ?? InstructionList.open(kernels, plan, inputs.length);
    if (list !== undefined) instructions.set(index, list);
    return list;
  }

  /** @param names of outputs, in the table */
  #interpreter(
    index: number,
    { feeds, results }: SegmentValues,
    names: readonly string[],
  ): Interpreter | undefined {
    const plan = this.#scope.segment(index).interpretable;
    const { rowsOf } = this.#scope.context;
    const weights = plan === undefined ? [] : weightsOfTables(plan);
    // Weights that only the session has, because they were passed to it in memory.
    if (plan === undefined || weights.some((name) => rowsOf(name) === undefined)) return undefined;
    const outputs = results.map(({ index }, at) => ({
      index,
      isReturned: this.#scope.returns(names[at]!),
    }));
    return new Interpreter(plan, feeds.map(indexOf), outputs, (name) => rowsOf(name)!);
  }

  #elementwise(index: number, { feeds, results }: SegmentValues): ElementwiseShortcut | undefined {
    const list = this.#instructionList(index);
    return list && new ElementwiseShortcut(list, feeds.map(indexOf), results.map(indexOf));
  }

  #room(index: number, { feeds, results }: SegmentValues): ElementwiseRoom | undefined {
    const { kernels } = this.#scope.context;
    if (this.#scope.segment(index).elementwise === undefined || kernels === undefined) return undefined;
    const outputs = results.map(({ name }) => name);
    return new ElementwiseRoom(kernels.memory, feeds.map(indexOf), outputs);
  }

  #blocks(plan: AttentionOverCache): AttentionBlocks | undefined {
    if (plan.block === undefined) return undefined;
    const { use, context } = this.#scope;
    const attention = new BlockAttention(plan, this.#masks, use, context.kernels);
    return { attention, call: this.#scope.call(plan.block) };
  }
}

function indexOf({ index }: NamedIndex): number {
  return index;
}
