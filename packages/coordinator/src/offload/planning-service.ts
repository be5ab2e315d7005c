import type { ExportDtype, FileIdentity } from "@ringrank/model";
import type {
  ActivationPrecision,
  PolicyData,
  ProgramOptions,
  RankProgram,
  WeightPrecision,
} from "@ringrank/policy";
import type { ModelFacts } from "../model-facts.js";

/** The work of the planning thread for the caller's thread. Arguments and results cross by structured clone. */
export interface PlanningService {
  /**
   * Finds and opens a model and decides its partition, or checks a given one. Keeps the model open.
   *
   * @throws what opening and planning throw: RR_NOT_A_MODEL, RR_CONFIG, RR_POLICY, RR_MEMORY, …
   */
  plan(request: PlanRequest): PlanReply;
  /**
   * The programs of the ranks, and whatever else is needed to run the model. Call it after {@link plan}.
   *
   * @throws RR_MISSING_FILE; RR_FILE_FORMAT if a weight file is not what its header says
   */
  prepare(options?: ProgramOptions): Preparation;
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
  /** A policy's JSON, to be used instead of a new policy. */
  readonly policy: unknown;
}

export interface PlanReply {
  readonly policy: PolicyData;
  /** Where the model's tokenizer would be. */
  readonly directory: string;
}

export interface Preparation {
  /** By rank. */
  readonly programs: readonly RankProgram[];
  readonly facts: ModelFacts;
  /** The files with the weights, as they were when they were opened. */
  readonly files: readonly FileIdentity[];
  /** Keys of generation_config.json that change results and are not supported. */
  readonly unsupported: readonly string[];
  /** Names of tensors in the files that the model does not use. */
  readonly unused: readonly string[];
}
