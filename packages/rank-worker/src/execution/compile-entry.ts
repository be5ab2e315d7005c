import type { ReduceOperation } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData } from "@ringrank/model";
import type {
  Addends,
  AttentionOverCache,
  Entry,
  Segment,
  SizeProduct,
  Step,
  ValueShard,
} from "@ringrank/policy";
import { Addition } from "../addition/addition.js";
import type { AttentionKernel } from "../attention/attention-kernel.js";
import { BlockAttention } from "../attention/block-attention.js";
import { BlockMasks } from "../attention/block-masks.js";
import type { RowAttention } from "../attention/row-attention.js";
import { ElementwiseStep } from "../elementwise/elementwise-step.js";
import { InstructionList } from "../elementwise/instruction-list.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import { Normalization } from "../normalization/normalization.js";
import { Product } from "../products/product.js";
import type { Fetches, OrtSession } from "../sessions/ort-binding.js";
import { type Tensor, tensor, toMessage } from "../tensors/tensor.js";

/** An entry ready to run: names looked up once, so that a step touches only indices into a table of values. */
export interface CompiledEntry {
  readonly entry: Entry;
  /** Index of every value in the table. */
  readonly indices: ReadonlyMap<string, number>;
  readonly steps: readonly CompiledStep[];
  readonly attention: AttentionKernel | undefined;
}

/** A step, and the values that nobody needs after it. */
export type CompiledStep = StepKind & { readonly drop: readonly number[] };

type StepKind =
  | RunStep
  | ProductsStep
  | AllReduceStep
  | AllGatherStep
  | ZerosStep
  | NormalizationStep
  | RoutedStep;

/** What running a session takes besides what it is fed. */
export interface SessionCall {
  readonly segment: number;
  readonly session: OrtSession;
  readonly fetches: Fetches;
}

interface RunStep extends SessionCall {
  readonly kind: "run";
  readonly feeds: readonly NamedIndex[];
  readonly sharedWeights: Readonly<Record<string, Tensor>>;
  readonly results: readonly NamedIndex[];
  /** The shorter way for one new row a sequence, where there is one. */
  readonly rowAttention: RowAttention | undefined;
  /** The shorter way for several new rows. */
  readonly blocks: AttentionBlocks | undefined;
  /** The shorter way for what works element by element. */
  readonly elementwise: ElementwiseStep | undefined;
}

interface AttentionBlocks extends SessionCall {
  readonly attention: BlockAttention;
}

/** Its session is for many rows. */
interface ProductsStep extends SessionCall {
  readonly kind: "product";
  readonly name: string;
  readonly value: number;
  readonly product: Product;
  /** By place in what the product gives. */
  readonly outputs: readonly number[];
}

interface AllReduceStep {
  readonly kind: "allReduce";
  readonly name: string;
  readonly value: number;
  readonly operation: ReduceOperation;
  /** Of what is added to the sum, where something is. */
  readonly addition: Addition | undefined;
  /** The value among that. */
  readonly addend: NamedIndex | undefined;
}

interface AllGatherStep {
  readonly kind: "allGather";
  readonly name: string;
  readonly value: number;
  readonly output: number;
  readonly shard: ValueShard;
}

interface ZerosStep {
  readonly kind: "zeros";
  readonly value: number;
  readonly type: DataType;
  readonly dims: readonly SizeProduct[];
}

interface NormalizationStep {
  readonly kind: "normalize";
  readonly name: string;
  readonly value: number;
  readonly output: number;
  readonly addend: NamedIndex | undefined;
  readonly normalization: Normalization;
}

/** The experts of this rank, each run for the rows that go to it. */
export interface RoutedStep extends SessionCall {
  readonly kind: "routed";
  readonly rows: NamedIndex;
  readonly weights: NamedIndex;
  /** What is fed besides rows, by expert. */
  readonly experts: readonly Readonly<Record<string, Tensor>>[];
  readonly perExpert: string;
  readonly output: number;
  readonly dims: readonly SizeProduct[];
}

export interface NamedIndex {
  readonly name: string;
  readonly index: number;
}

/** What an entry's steps refer to. */
export interface CompileContext {
  readonly segments: readonly Segment[];
  readonly sessions: readonly OrtSession[];
  /** Weights in the rank's own memory, by name. */
  readonly keptWeights: ReadonlyMap<string, Tensor>;
  /** Kernels that work where a kept weight lies; undefined where none do. */
  readonly kernelsOf: (data: TensorData) => RankKernels | undefined;
  /** Undefined where the engine cannot run them, or the program needs none. */
  readonly kernels: RankKernels | undefined;
  readonly attention: AttentionKernel | undefined;
}

/** @throws RR_POLICY if a step uses a value that no earlier step, input or weight defines */
export function compileEntry(
  name: string,
  entry: Entry,
  { segments, sessions, keptWeights, kernelsOf, kernels, attention }: CompileContext,
): CompiledEntry {
  const indices = new Map<string, number>();
  const define = (value: string): number => {
    const index = indices.get(value) ?? indices.size;
    indices.set(value, index);
    return index;
  };
  const use = (value: string): number => {
    const index = indices.get(value);
    if (index === undefined) {
      throw new RingrankError(
        "RR_POLICY",
        `entry "${name}": a step uses "${value}" before anything defines it`,
      );
    }
    return index;
  };

  const named = (value: string): NamedIndex => ({ name: value, index: use(value) });

  for (const input of entry.inputs) define(input.name);
  const drops = lastUses(entry, segments);
  const masks = new BlockMasks();
  const instructionLists = new Map<number, InstructionList>();
  const steps = entry.steps.map((step, at): CompiledStep => {
    const compiled = compileStep(step);
    return { ...compiled, drop: drops[at]!.map(use) };
  });
  return { entry, indices, steps, attention };

  function weightOf(weight: string): Tensor {
    const tensor = keptWeights.get(weight);
    if (tensor !== undefined) return tensor;
    throw new RingrankError(
      "RR_POLICY",
      `entry "${name}": a step needs the weight "${weight}", which is not there`,
    );
  }

  function floatsOf(weight: string): Float32Array {
    return weightOf(weight).data as Float32Array;
  }

  function addedValue(added: Addends | undefined): NamedIndex | undefined {
    return added?.value === undefined ? undefined : named(added.value);
  }

  function segmentAt(index: number): { readonly segment: Segment; readonly session: OrtSession } {
    const segment = segments[index];
    const session = sessions[index];
    if (segment !== undefined && session !== undefined) return { segment, session };
    throw new RingrankError(
      "RR_POLICY",
      `entry "${name}": a step runs segment ${index} of ${segments.length}`,
    );
  }

  function attentionBlocks(plan: AttentionOverCache): AttentionBlocks | undefined {
    if (plan.block === undefined) return undefined;
    const { segment, session } = segmentAt(plan.block);
    const block = new BlockAttention(plan, masks, use);
    return { segment: plan.block, session, fetches: fetchesOf(segment), attention: block };
  }

  function elementwiseStep(
    index: number,
    feeds: readonly NamedIndex[],
    results: readonly NamedIndex[],
  ): ElementwiseStep | undefined {
    const plan = segments[index]?.elementwise;
    if (plan === undefined || kernels === undefined) return undefined;
    const list = instructionLists.get(index) ?? InstructionList.open(kernels, plan, feeds.length);
    if (list === undefined) return undefined;
    instructionLists.set(index, list);
    const indexOf = (value: NamedIndex): number => value.index;
    return new ElementwiseStep(list, feeds.map(indexOf), results.map(indexOf));
  }

  function compileStep(step: Step): StepKind {
    switch (step.kind) {
      case "run": {
        const { segment, session } = segmentAt(step.segment);
        const values = step.values ?? segment;
        const feeds = segment.inputs.map((name, at) => ({ name, index: use(values.inputs[at]!) }));
        const results = segment.outputs.map((name, at) => ({ name, index: define(values.outputs[at]!) }));
        return {
          kind: "run",
          segment: step.segment,
          session,
          feeds,
          sharedWeights: Object.fromEntries(
            segment.sharedWeights.map((weight) => [weight, weightOf(weight)]),
          ),
          fetches: fetchesOf(segment),
          results,
          rowAttention: step.attention && attention?.rowAttention(step.attention, use),
          blocks: step.attention && attentionBlocks(step.attention),
          elementwise: elementwiseStep(step.segment, feeds, results),
        };
      }
      case "product": {
        const { segment, session } = segmentAt(step.segment);
        return {
          kind: "product",
          segment: step.segment,
          session,
          fetches: fetchesOf(segment),
          name: step.value,
          value: use(step.value),
          product: new Product(step, segment, weightOf, kernelsOf),
          outputs: step.outputs.map((output) => define(output.name)),
        };
      }
      case "allReduce":
        return {
          kind: "allReduce",
          name: step.value,
          value: use(step.value),
          operation: step.operation ?? "sum",
          addition: step.added && new Addition(step.added.rows.map(floatsOf), kernels),
          addend: addedValue(step.added),
        };
      case "allGather":
        return {
          kind: "allGather",
          name: step.value,
          value: use(step.value),
          output: define(step.output),
          shard: step.shard,
        };
      case "zeros":
        return {
          kind: "zeros",
          value: define(step.value),
          type: step.type ?? "float32",
          dims: step.dims,
        };
      case "normalize":
        return {
          kind: "normalize",
          name: step.value,
          value: use(step.value),
          addend: addedValue(step.added),
          output: define(step.output),
          normalization: new Normalization(step, weightOf, kernels),
        };
      case "routed":
        return {
          ...step,
          session: segmentAt(step.segment).session,
          rows: named(step.rows),
          weights: named(step.weights),
          experts: splitStacks(step.stacks.map((stack) => [stack, weightOf(stack)])),
          fetches: { [step.perExpert]: null },
          output: define(step.output),
        };
    }
  }
}

function fetchesOf({ outputs }: Segment): Fetches {
  return Object.fromEntries(outputs.map((value) => [value, null]));
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

/** By step: the values it is the last to touch, outputs of the entry excepted. */
function lastUses(entry: Entry, segments: readonly Segment[]): string[][] {
  const last = new Map<string, number>();
  for (const [at, step] of entry.steps.entries()) {
    for (const value of touched(step, segments)) last.set(value, at);
  }
  for (const output of entry.outputs) last.delete(output.name);
  const drops: string[][] = entry.steps.map(() => []);
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
    default:
      return [step.value];
  }
}
