import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import type { Addends, ProductStep, Segment } from "@ringrank/policy";
import type { AttentionKernel } from "../attention/attention-kernel.js";
import type { InstructionList } from "../elementwise/instruction-list.js";
import { SessionCall } from "../execution/session-call.js";
import type { NamedIndex } from "../execution/steps/compiled-step.js";
import type { RankKernels } from "../kernels/rank-kernels.js";
import type { ProductWeights } from "../products/matrix.js";
import type { Multiplier, SegmentType } from "../products/multiplier.js";
import type { IntegerProduct } from "../products/quantized/many-rows/integer-product.js";
import type { StreamedScales } from "../products/quantized/streamed-scales.js";
import type { OrtSession } from "../sessions/ort-binding.js";
import type { Tensor } from "../tensors/tensor.js";
import type { WeightRows } from "../tensors/weight-rows.js";
import type { ExpertParts } from "./expert-parts.js";

/** By index of a segment, because steps of all layers share these. */
export interface WorkBySegment {
  readonly integers: Map<number, IntegerProduct>;
  readonly instructions: Map<number, InstructionList>;
}

/** What the steps of a rank's entries refer to. */
export interface CompileContext {
  readonly segments: readonly Segment[];
  readonly sessions: readonly OrtSession[];
  /** Weights in the rank's own memory, by name. */
  readonly keptWeights: ReadonlyMap<string, Tensor>;
  /** The rows of a weight, by name; undefined if only a session can read it. */
  readonly rowsOf: (weight: string) => WeightRows | undefined;
  /** The kernels whose memory contains a kept weight; undefined if there are none. */
  readonly kernelsOf: (data: TensorData) => RankKernels | undefined;
  /** Of the kept weights, which all entries share. */
  readonly streamedScales: StreamedScales;
  /** Shared by all entries, for the same reason. */
  readonly expertParts: ExpertParts;
  /** Undefined if the engine cannot run them, or the program does not need them. */
  readonly kernels: RankKernels | undefined;
  readonly attention: AttentionKernel | undefined;
}

interface Named {
  readonly name: string;
}

/** The names that one entry's steps use, and what they refer to. */
export class EntryScope {
  /** Index of every value in the table. Inputs come first, in their order. */
  readonly indices = new Map<string, number>();
  readonly context: CompileContext;
  /** For errors. */
  readonly entry: string;
  readonly bySegment: WorkBySegment;
  readonly #outputs: ReadonlySet<string>;

  /**
   * @param entry the name of the entry, for errors
   * @param bySegment that of the enclosing entry, if these steps are part of one
   */
  constructor(
    entry: string,
    { inputs, outputs }: { readonly inputs: readonly Named[]; readonly outputs: readonly Named[] },
    context: CompileContext,
    bySegment: WorkBySegment = { integers: new Map(), instructions: new Map() },
  ) {
    this.entry = entry;
    this.#outputs = new Set(outputs.map((output) => output.name));
    this.context = context;
    this.bySegment = bySegment;
    for (const input of inputs) this.define(input.name);
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

  /** Whether a value is an output of the entry. */
  returns(value: string): boolean {
    return this.#outputs.has(value);
  }

  named(name: string): NamedIndex {
    return { name, index: this.use(name) };
  }

  addend(added: Addends | undefined): NamedIndex | undefined {
    return added?.value === undefined ? undefined : this.named(added.value);
  }

  readonly weightOf = (weight: string): Tensor => {
    const kept = this.context.keptWeights.get(weight);
    if (kept !== undefined) return kept;
    throw this.#contradiction(`needs the weight "${weight}", which is not there`);
  };

  /**
   * What multiplies by the matrices of a step.
   *
   * @param make of the weights that the step names
   */
  multiplier(_step: ProductStep, make: (weightOf: ProductWeights["weightOf"]) => Multiplier): Multiplier {
    return make(this.weightOf);
  }

  segment(index: number): Segment {
    return this.context.segments[index] ?? this.#noSegment(index);
  }

  session(index: number): OrtSession {
    return this.context.sessions[index] ?? this.#noSegment(index);
  }

  call(segment: number): SessionCall {
    return new SessionCall(segment, this.session(segment), this.segment(segment));
  }

  calls(segments: Readonly<Partial<Record<SegmentType, number>>>): Partial<Record<SegmentType, SessionCall>> {
    return Object.fromEntries(Object.entries(segments).map(([type, index]) => [type, this.call(index)]));
  }

  #noSegment(index: number): never {
    throw this.#contradiction(`runs segment ${index} of ${this.context.segments.length}`);
  }

  #contradiction(what: string): RingrankError {
    return new RingrankError("RR_POLICY", `entry "${this.entry}": a step ${what}`);
  }
}
