import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import type { Addends, AttentionOverCache, Entry, RunStep, Segment, Step } from "@ringrank/policy";
import { Addition } from "../addition/addition.js";
import type { AttentionKernel } from "../attention/attention-kernel.js";
import { BlockAttention } from "../attention/block-attention.js";
import { BlockMasks } from "../attention/block-masks.js";
import { ElementwiseRoom } from "../elementwise/elementwise-room.js";
import { ElementwiseShortcut } from "../elementwise/elementwise-shortcut.js";
import { InstructionList } from "../elementwise/instruction-list.js";
import { Interpreter } from "../interpreter/interpreter.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { Normalization } from "../normalization/normalization.js";
import type { Epilogue } from "../products/epilogue.js";
import { FloatMultiplier } from "../products/floats/float-multiplier.js";
import type { Multiplier, SegmentType } from "../products/multiplier.js";
import { Product } from "../products/product.js";
import { IntegerProduct } from "../products/quantized/integer-product.js";
import { QuantizedMultiplier } from "../products/quantized/quantized-multiplier.js";
import type { StreamedScales } from "../products/quantized/streamed-scales.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import { type Tensor, tensor, toMessage } from "../tensors/tensor.js";
import { ActivatedProductStep, ActivationStep } from "./activated-product-step.js";
import { AllGatherStep } from "./all-gather-step.js";
import { type Added, AllReduceStep } from "./all-reduce-step.js";
import { type AttentionBlocks, AttentionStep } from "./attention-step.js";
import type { CompiledStep, NamedIndex } from "./compiled-step.js";
import { lastUses } from "./last-uses.js";
import { NormalizeStep } from "./normalize-step.js";
import { ProductStep } from "./product-step.js";
import { RoutedStep } from "./routed-step.js";
import { SegmentStep, type SegmentValues } from "./segment-step.js";
import { SessionCall } from "./session-call.js";
import { ShortcutStep } from "./shortcut-step.js";
import { ZerosStep } from "./zeros-step.js";

/** An entry ready to run: names looked up once, so that a run touches only indices into a table of values. */
export interface CompiledEntry {
  readonly entry: Entry;
  /** Index of every value in the table. */
  readonly indices: ReadonlyMap<string, number>;
  readonly steps: readonly PlacedStep[];
  readonly attention: AttentionKernel | undefined;
}

/** A step in its place. */
export interface PlacedStep {
  readonly step: CompiledStep;
  /** Values that nobody needs after it. */
  readonly drop: readonly number[];
  /** Of the first later step that has one: what to do while this one waits for other ranks. */
  readonly meanwhile: (() => void) | undefined;
}

/** What an entry's steps refer to. */
export interface CompileContext {
  readonly segments: readonly Segment[];
  readonly sessions: readonly OrtSession[];
  /** Weights in the rank's own memory, by name. */
  readonly keptWeights: ReadonlyMap<string, Tensor>;
  /** Kernels that work where a kept weight lies; undefined where none do. */
  readonly kernelsOf: (data: TensorData) => RankKernels | undefined;
  /** Of the kept weights: all entries have the same. */
  readonly streamedScales: StreamedScales;
  /** Undefined where the engine cannot run them, or the program needs none. */
  readonly kernels: RankKernels | undefined;
  readonly attention: AttentionKernel | undefined;
}

/** The step behind another, and the values that nobody needs after it. */
interface NextStep {
  readonly step: Step | undefined;
  readonly drop: readonly string[];
}

/** @throws RR_POLICY if a step uses a value that no earlier step, input or weight defines */
export function compileEntry(name: string, entry: Entry, context: CompileContext): CompiledEntry {
  const given = new Set(entry.outputs.map((output) => output.name));
  const compiler = new EntryCompiler(name, given, context);
  for (const input of entry.inputs) compiler.define(input.name);
  const drops = lastUses(entry, context.segments);
  const compiled = entry.steps.map((step, at) => {
    const next = { step: entry.steps[at + 1], drop: drops[at + 1] ?? [] };
    return { step: compiler.compile(step, next), drop: drops[at]!.map((value) => compiler.use(value)) };
  });
  let meanwhile: PlacedStep["meanwhile"];
  const steps = compiled.reverse().map(({ step, drop }): PlacedStep => {
    const placed = { step, drop, meanwhile };
    meanwhile = step.headStart?.turn ?? meanwhile;
    return placed;
  });
  return { entry, indices: compiler.indices, steps: steps.reverse(), attention: context.attention };
}

class EntryCompiler {
  readonly indices = new Map<string, number>();
  readonly #entry: string;
  /** Names of what the entry gives. */
  readonly #given: ReadonlySet<string>;
  readonly #context: CompileContext;
  readonly #masks = new BlockMasks();
  /** By segment: steps of all layers share them. */
  readonly #integers = new Map<number, IntegerProduct>();
  readonly #instructions = new Map<number, InstructionList>();
  /** Places in the table of what products with an epilogue make. */
  readonly #madeByEpilogues = new Set<number>();

  constructor(entry: string, given: ReadonlySet<string>, context: CompileContext) {
    this.#entry = entry;
    this.#given = given;
    this.#context = context;
  }

  define(value: string): number {
    const index = this.indices.get(value) ?? this.indices.size;
    this.indices.set(value, index);
    return index;
  }

  readonly use = (value: string): number => {
    const index = this.indices.get(value);
    if (index !== undefined) return index;
    throw this.#contradiction(`uses "${value}" before anything defines it`);
  };

  compile(step: Step, next: NextStep): CompiledStep {
    switch (step.kind) {
      case "run":
        return this.#run(step);
      case "product": {
        const product = new Product(step, this.#multiplier(step), this.#context.kernels?.memory, this.#given);
        const value = this.#named(step.value);
        const outputs = step.outputs.map((output) => this.define(output.name));
        const alone = new ProductStep(product, value, outputs, this.#calls(step.segments));
        const activation = this.#activation(step, next);
        return activation ? new ActivatedProductStep(alone, activation.epilogue, activation.made) : alone;
      }
      case "allReduce":
        return new AllReduceStep(this.#named(step.value), step.operation ?? "sum", this.#added(step.added));
      case "allGather":
        return new AllGatherStep(this.#named(step.value), this.define(step.output), step.shard);
      case "zeros":
        return new ZerosStep(this.define(step.value), step.type ?? "float32", step.dims);
      case "normalize": {
        const normalization = new Normalization(
          step,
          this.weightOf,
          this.#context.kernels,
          this.#given.has(step.output),
        );
        const value = this.#named(step.value);
        return new NormalizeStep(normalization, value, this.#addend(step.added), this.define(step.output));
      }
      case "routed": {
        const { segment, perExpert, dims } = step;
        const call = new SessionCall(segment, this.#session(segment), { outputs: [perExpert] });
        const experts = splitStacks(step.stacks.map((stack) => [stack, this.weightOf(stack)]));
        const [rows, weights] = [this.#named(step.rows), this.#named(step.weights)];
        const output = this.define(step.output);
        return new RoutedStep(call, { experts, perExpert }, { rows, weights, output, dims });
      }
    }
  }

  #multiplier(step: Extract<Step, { kind: "product" }>): Multiplier {
    const source = { weightOf: this.weightOf, kernelsOf: this.#context.kernelsOf };
    if (step.bits === 32) return new FloatMultiplier(step, this.#segment(step.segments.float32), source);
    const { int8, uint8 } = step.segments;
    const integers =
      this.#integers.get(int8) ??
      new IntegerProduct({ int8: this.#segment(int8), uint8: this.#segment(uint8) });
    this.#integers.set(int8, integers);
    return new QuantizedMultiplier(step, integers, source, this.#context.streamedScales);
  }

  #run({ segment: index, values, attention }: RunStep): CompiledStep {
    const segment = this.#segment(index);
    const { inputs, outputs } = values ?? segment;
    const tabled = {
      feeds: segment.inputs.map((name, at) => ({ name, index: this.use(inputs[at]!) })),
      sharedWeights: Object.fromEntries(
        segment.sharedWeights.map((weight) => [weight, this.weightOf(weight)]),
      ),
      results: segment.outputs.map((name, at) => ({ name, index: this.define(outputs[at]!) })),
    };
    const step = new SegmentStep(this.#call(index), tabled, this.#room(index, tabled, outputs));
    if (attention !== undefined) {
      const row = this.#context.attention?.rowAttention(attention, this.use);
      return new AttentionStep(index, row, this.#blocks(attention), step);
    }
    const interpreter = this.#interpreter(index, tabled, outputs);
    if (interpreter !== undefined) return new ShortcutStep("interpreting", index, interpreter, step);
    const elementwise = this.#elementwise(index, tabled);
    const activation =
      elementwise === undefined ? step : new ShortcutStep("activating", index, elementwise, step);
    const [made] = tabled.results;
    return made !== undefined && this.#madeByEpilogues.has(made.index)
      ? new ActivationStep(made.index, activation)
      : activation;
  }

  /** What the next step makes of a product, if it is all that is made of it, element by element. */
  #activation(
    { outputs }: Extract<Step, { kind: "product" }>,
    { step, drop }: NextStep,
  ): { readonly epilogue: Epilogue; readonly made: number } | undefined {
    if (step?.kind !== "run") return undefined;
    const segment = this.#segment(step.segment);
    const values = step.values ?? segment;
    const products = outputs.map(({ name }) => name);
    const inputs = values.inputs.map((name) => products.indexOf(name));
    const isAll = inputs.every((at) => at !== -1) && products.every((name) => drop.includes(name));
    const list = this.#instructionList(step.segment);
    const name = values.outputs[0]!;
    if (!isAll || !list?.endsWithOutput || this.#given.has(name)) return undefined;
    const made = this.define(name);
    this.#madeByEpilogues.add(made);
    return { epilogue: { list, inputs }, made };
  }

  #instructionList(index: number): InstructionList | undefined {
    const { elementwise: plan, inputs } = this.#segment(index);
    const { kernels } = this.#context;
    if (plan === undefined || kernels === undefined) return undefined;
    const list = this.#instructions.get(index) ?? InstructionList.open(kernels, plan, inputs.length);
    if (list !== undefined) this.#instructions.set(index, list);
    return list;
  }

  /** @param names of outputs, in the table */
  #interpreter(
    index: number,
    { feeds, results }: SegmentValues,
    names: readonly string[],
  ): Interpreter | undefined {
    const plan = this.#segment(index).interpretable;
    const outputs = results.map(({ index }, at) => ({ index, isGiven: this.#given.has(names[at]!) }));
    return plan && new Interpreter(plan, feeds.map(indexOf), outputs);
  }

  #elementwise(index: number, { feeds, results }: SegmentValues): ElementwiseShortcut | undefined {
    const list = this.#instructionList(index);
    return list && new ElementwiseShortcut(list, feeds.map(indexOf), results.map(indexOf));
  }

  /** @param names of outputs, in the table */
  #room(
    index: number,
    { feeds, results }: SegmentValues,
    names: readonly string[],
  ): ElementwiseRoom | undefined {
    const { kernels } = this.#context;
    if (this.#segment(index).elementwise === undefined || kernels === undefined) return undefined;
    const passing = results.filter((_, at) => !this.#given.has(names[at]!)).map(({ name }) => name);
    return new ElementwiseRoom(kernels.memory, feeds.map(indexOf), passing);
  }

  #blocks(plan: AttentionOverCache): AttentionBlocks | undefined {
    if (plan.block === undefined) return undefined;
    const { kernels } = this.#context;
    const attention = new BlockAttention(plan, this.#masks, this.use, kernels, this.#given.has(plan.context));
    return { attention, call: this.#call(plan.block) };
  }

  #added(added: Addends | undefined): Added | undefined {
    if (added === undefined) return undefined;
    const rows = added.rows.map((row) => this.weightOf(row).data as Float32Array);
    return { addition: new Addition(rows, this.#context.kernels), addend: this.#addend(added) };
  }

  #addend(added: Addends | undefined): NamedIndex | undefined {
    return added?.value === undefined ? undefined : this.#named(added.value);
  }

  #named(name: string): NamedIndex {
    return { name, index: this.use(name) };
  }

  readonly weightOf = (weight: string): Tensor => {
    const kept = this.#context.keptWeights.get(weight);
    if (kept !== undefined) return kept;
    throw this.#contradiction(`needs the weight "${weight}", which is not there`);
  };

  #calls(
    segments: Readonly<Partial<Record<SegmentType, number>>>,
  ): Partial<Record<SegmentType, SessionCall>> {
    return Object.fromEntries(Object.entries(segments).map(([type, index]) => [type, this.#call(index)]));
  }

  #call(segment: number): SessionCall {
    return new SessionCall(segment, this.#session(segment), this.#segment(segment));
  }

  #segment(index: number): Segment {
    return this.#context.segments[index] ?? this.#noSegment(index);
  }

  #session(index: number): OrtSession {
    return this.#context.sessions[index] ?? this.#noSegment(index);
  }

  #noSegment(index: number): never {
    throw this.#contradiction(`runs segment ${index} of ${this.#context.segments.length}`);
  }

  #contradiction(what: string): RingrankError {
    return new RingrankError("RR_POLICY", `entry "${this.#entry}": a step ${what}`);
  }
}

function indexOf({ index }: NamedIndex): number {
  return index;
}

/** For each index of the stacks' first axis: the parts there, `[1, …]`, without a copy. */
function splitStacks(stacks: readonly (readonly [string, Tensor])[]): Record<string, Tensor>[] {
  const count = stacks[0]?.[1].dims[0] ?? 0;
  return Array.from({ length: count }, (_, expert) =>
    Object.fromEntries(stacks.map(([name, stack]) => [name, partOf(stack, expert)])),
  );
}

function partOf(stack: Tensor, index: number): Tensor {
  const { type, data } = toMessage(stack);
  const size = data.length / stack.dims[0]!;
  return tensor(type, data.subarray(index * size, (index + 1) * size), [1, ...stack.dims.slice(1)]);
}
