import type { DataType } from "@ringrank/model";
import type { RoleLabel } from "../analysis/labels.js";
import type { Objective } from "../decide/objective.js";
import type { Precision } from "../precision/precision.js";
import { shortTable, table } from "./table.js";

/** The version of {@link PolicyData}; a change of meaning raises it. */
export const policyVersion = 2;

/** A partition policy as plain JSON. */
export interface PolicyData {
  readonly version: typeof policyVersion;
  /** Digest of the graph that the policy was made for. */
  readonly graph: string;
  readonly ranks: number;
  readonly objective: Objective;
  /** What the matrices of parameters are held and computed in, and what is multiplied with them. */
  readonly precision: Precision;
  /** What could be decided on, and what was. */
  readonly factors: readonly FactorDecision[];
  /** By weight name. */
  readonly weights: Readonly<Record<string, WeightPlacement>>;
  readonly collectives: readonly CollectiveData[];
  readonly bytesPerRank: readonly number[];
  /** Parameter bytes of the unsplit model, in the types it computes in. */
  readonly totalBytes: number;
  readonly predicted: Prediction;
  /** Operators that need whole inputs because no rule is known for them. */
  readonly unruled: readonly UnruledOperator[];
}

/** One role: the same factor in every layer that has it. */
export interface FactorDecision {
  readonly id: number;
  /** Read off the operators it reaches, for display. */
  readonly label: RoleLabel;
  /** How many such factors the graph has. */
  readonly count: number;
  readonly units: number;
  /** What a unit is made of, counted as the label does: 2 where heads are dealt in pairs, else 1. */
  readonly group: number;
  /** Pieces a unit is made of where ranks share one (query heads of a key head); 1 where it is not divided. */
  readonly within: number;
  readonly sharded: boolean;
  /** Units of each rank, `within` pieces counted: 3 of 4 key heads with 2 query heads each is 6. */
  readonly perRank: readonly number[];
  /** Bytes of the parameters that hold it. */
  readonly bytes: number;
  readonly reason: string;
}

/** R, or S by a factor of one axis. Parameters are never Partial. */
export interface WeightPlacement {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly placement: "replicated" | "column-parallel" | "row-parallel";
  /** Axis and factor it is sharded by. */
  readonly axis?: number;
  readonly factor?: number;
  /** The axes as products of factors: `4·2·16 × 64`. */
  readonly structure: string;
  /** Of the whole weight, in the type it computes in. */
  readonly bytes: number;
  readonly bytesPerRank: readonly number[];
  readonly reason: string;
}

export interface CollectiveData {
  readonly kind: "allReduce" | "allGather";
  /** Of an all-reduce. */
  readonly operation?: "sum" | "max";
  readonly value: string;
  /** Bytes of one rank's operand, or of what is gathered, in the step of {@link Prediction}. */
  readonly bytes: number;
  readonly reason: string;
}

export interface Prediction {
  /**
   * What the others are of: `a token`, behind 512 that are cached; of an encoder–decoder, `a token of source and
   * target`, which both go through once; without a cache `a run`, and where its length is free, one of 512, or of half
   * of that as often as its shapes need: `a run of length 512`.
   */
  readonly step: string;
  readonly secondsPerToken: number;
  readonly collectiveBytesPerToken: number;
  readonly allReducesPerToken: number;
  readonly allGathersPerToken: number;
}

/** An operator without a rule runs on whole tensors on every rank. */
export interface UnruledOperator {
  readonly operator: string;
  /** The first value it gives: what names the node in the file. */
  readonly node: string;
  /** Bytes of the weights it keeps whole. */
  readonly weightBytes: number;
  /** Bytes that are gathered for it, in the step of {@link Prediction}. */
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

  get factors(): readonly FactorDecision[] {
    return this.#data.factors;
  }

  get weights(): Readonly<Record<string, WeightPlacement>> {
    return this.#data.weights;
  }

  get collectives(): readonly CollectiveData[] {
    return this.#data.collectives;
  }

  /** Parameter bytes each rank keeps, in the types it computes in. */
  get bytesPerRank(): readonly number[] {
    return this.#data.bytesPerRank;
  }

  get totalBytes(): number {
    return this.#data.totalBytes;
  }

  get predicted(): Prediction {
    return this.#data.predicted;
  }

  get unruled(): readonly UnruledOperator[] {
    return this.#data.unruled;
  }

  /** Who holds what, and why: text to print. `short` leaves the weights out. */
  table(options: { readonly short?: boolean } = {}): string {
    return options.short === true ? shortTable(this.#data) : table(this.#data);
  }

  /** Plain data that `loadModel` takes back as its `policy`. */
  toJSON(): PolicyData {
    return this.#data;
  }
}
