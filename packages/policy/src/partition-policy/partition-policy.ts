import type { DataType } from "@ringrank/model";
import type { RoleLabel } from "../analysis/labels.js";
import type { Objective } from "../decide/objective.js";
import type { Precision } from "../precision/precision.js";
import { shortTable, table } from "./table.js";

/** The version of {@link PolicyData}. It is raised when the meaning of a field changes. */
export const policyVersion = 2;

/** A partition policy as plain JSON. */
export interface PolicyData {
  readonly version: typeof policyVersion;
  /** Digest of the graph that the policy was made for. */
  readonly graph: string;
  readonly ranks: number;
  readonly objective: Objective;
  /** The types that parameter matrices are held in and multiplied with. */
  readonly precision: Precision;
  /** What could be decided, and what was decided. */
  readonly factors: readonly FactorDecision[];
  /** By weight name. */
  readonly weights: Readonly<Record<string, WeightPlacement>>;
  readonly collectives: readonly CollectiveData[];
  readonly bytesPerRank: readonly number[];
  /** Parameter bytes of the unsplit model, in the types it computes in. */
  readonly totalBytes: number;
  readonly predicted: Prediction;
  /** Operators that need whole inputs because they have no rule. */
  readonly unruled: readonly UnruledOperator[];
}

/** One role: the same factor in every layer that has it. */
export interface FactorDecision {
  readonly id: number;
  /** For display; derived from the operators that the factor reaches. */
  readonly label: RoleLabel;
  /** How many such factors the graph has. */
  readonly count: number;
  /** What is dealt to ranks, in each of them. */
  readonly units: number;
  /** How many of the things named by the label form one unit: 2 if heads are dealt in pairs, else 1. */
  readonly group: number;
  /** Number of pieces in a unit that ranks share (the query heads of a key head); 1 if units are not divided. */
  readonly within: number;
  readonly sharded: boolean;
  /**
   * Units on each rank, counted in pieces if `within` is more than 1: 3 of 4 key heads with 2 query heads each count
   * as 6.
   */
  readonly perRank: readonly number[];
  /** Bytes of the parameters that have this factor. */
  readonly bytes: number;
  readonly reason: string;
}

/** Replicated, or sharded by a factor of one axis. Parameters are never Partial. */
export interface WeightPlacement {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly placement: "replicated" | "column-parallel" | "row-parallel";
  /** The axis and the factor that it is sharded by. */
  readonly axis?: number;
  readonly factor?: number;
  /** The axes as products of factors: `4·2·16 × 64`. */
  readonly structure: string;
  /** Bytes of the whole weight, in the type it is computed in. */
  readonly bytes: number;
  readonly bytesPerRank: readonly number[];
  readonly reason: string;
}

/** A value that ranks compute together. */
export interface CollectiveData {
  readonly kind: "allReduce" | "allGather";
  /** Of an all-reduce. */
  readonly operation?: "sum" | "max";
  readonly value: string;
  /** Bytes of one rank's operand, or of the gathered value, in the step of {@link Prediction}. */
  readonly bytes: number;
  readonly reason: string;
}

/** The model's time and traffic on a reference machine, as far as the choice between plans depends on them. */
export interface Prediction {
  /**
   * The unit that the other fields refer to. `a token`: one token after 512 cached ones; for an encoder–decoder
   * `a token of source and target`, which pass through once each. For a model without a cache `a run`, or, if its
   * length is free, `a run of length 512`; 512 is halved as often as the model's shapes require.
   */
  readonly step: string;
  readonly secondsPerToken: number;
  readonly collectiveBytesPerToken: number;
  readonly allReducesPerToken: number;
  readonly allGathersPerToken: number;
}

/** An operator without a rule, which runs on whole tensors on every rank. */
export interface UnruledOperator {
  readonly operator: string;
  /** Its first output, which names the node in the file. */
  readonly node: string;
  /** Bytes of its weights, which stay whole. */
  readonly weightBytes: number;
  /** Bytes gathered for it, in the step of {@link Prediction}. */
  readonly gatheredBytes: number;
  /** What would let it run on shares. */
  readonly lift: string;
}

/** The decision: the placement of every weight, every collective, and the reason for each. */
export class PartitionPolicy {
  readonly #data: PolicyData;

  constructor(data: PolicyData) {
    this.#data = data;
  }

  get ranks(): number {
    return this.#data.ranks;
  }

  get objective(): Objective {
    return this.#data.objective;
  }

  get precision(): Precision {
    return this.#data.precision;
  }

  /** What could be decided, and what was decided. */
  get factors(): readonly FactorDecision[] {
    return this.#data.factors;
  }

  /** By weight name. */
  get weights(): Readonly<Record<string, WeightPlacement>> {
    return this.#data.weights;
  }

  get collectives(): readonly CollectiveData[] {
    return this.#data.collectives;
  }

  /** Parameter bytes that each rank holds, in the types it computes in. */
  get bytesPerRank(): readonly number[] {
    return this.#data.bytesPerRank;
  }

  /** Parameter bytes of the unsplit model, in the types it computes in. */
  get totalBytes(): number {
    return this.#data.totalBytes;
  }

  get predicted(): Prediction {
    return this.#data.predicted;
  }

  /** Operators that need whole inputs because they have no rule. */
  get unruled(): readonly UnruledOperator[] {
    return this.#data.unruled;
  }

  /** Who holds what, and why, as text to print. `short` leaves the weights out. */
  table(options: { readonly short?: boolean | undefined } = {}): string {
    return options.short === true ? shortTable(this.#data) : table(this.#data);
  }

  /** Plain data that `loadModel` accepts as its `policy`. */
  toJSON(): PolicyData {
    return this.#data;
  }
}
