import type { ExportDtype } from "@ringrank/model";
import type { ActivationPrecision, PolicyData, RankProgram, WeightPrecision } from "@ringrank/policy";
import type { TokenText } from "../generation/detokenizer.js";
import type { ModelFacts } from "../model-facts.js";

/** What the offload thread does for the caller's thread. Arguments and results cross by structured clone. */
export interface OffloadService {
  /**
   * Finds and opens a model and decides its partition, or checks a given one. The model is kept open.
   *
   * @throws what opening and planning throw: RR_NOT_A_MODEL, RR_CONFIG, RR_POLICY, RR_MEMORY, …
   */
  plan(request: PlanRequest): PlanReply;
  /**
   * The programs of the ranks, and what else it takes to run the model. After {@link plan}.
   *
   * @throws RR_MISSING_FILE, RR_FILE_FORMAT where a weight file is not what its header says
   */
  prepare(): Preparation;
  /** Token ids of a text, with the tokenizer's own special tokens. `RR_NO_TOKENIZER` where there is none. */
  encode(text: string): readonly number[];
  /**
   * The text that is complete with this token of a generation; `last` also gives what is left of an incomplete
   * character, and forgets the generation. Tokens may be left out whose text is known.
   */
  detokenize(generation: number, id: number, last: boolean): TokenText;
  /** Forgets a generation that ends without a last token. */
  forget(generation: number): void;
}

export interface PlanRequest {
  readonly pathOrId: string;
  /** Which of a directory's ONNX files. */
  readonly dtype?: ExportDtype | undefined;
  readonly ranks: number;
  readonly objective: "memory" | "time";
  readonly memoryPerRank: number | undefined;
  readonly precision: WeightPrecision;
  readonly activations: ActivationPrecision | undefined;
  /** A policy's JSON, to be used in place of a new one. */
  readonly policy: unknown;
}

export interface PlanReply {
  readonly policy: PolicyData;
}

export interface Preparation {
  /** By rank. */
  readonly programs: readonly RankProgram[];
  readonly facts: ModelFacts;
  /** Keys of generation_config.json that change results and are not supported. */
  readonly unsupported: readonly string[];
  /** Names of tensors in the files that the model does not use. */
  readonly unused: readonly string[];
}
