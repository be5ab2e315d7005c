import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import { bytesOfShard, bytesPerElement, type WeightShard } from "@ringrank/model/weights";
import type { Interpretable, InterpretedTable, Segment } from "@ringrank/policy";
import type { SessionWeights } from "../sessions/session-options.js";
import type { WeightRows } from "../tensors/weight-rows.js";

/**
 * The tables of segments in which the rank looks rows up itself, in the files that the segments' sessions map. A rank
 * needs a few rows at a time, so the tables are in no other memory. The files stay open, because most of them lose
 * their names once the model is loaded.
 */
export class RowFiles implements Disposable {
  readonly #rows = new Map<string, FileRows>();

  /**
   * Opens the tables of a segment, instead of those that have been opened before for the same segment. If its weights
   * are not in files, only its session has them.
   *
   * @throws the errors of node:fs
   */
  open(
    { initializers, interpretable }: Segment,
    weights: SessionWeights,
    shardOf: (name: string) => WeightShard,
  ): void {
    if (interpretable === undefined) return;
    const wanted = new Set(weightsOfTables(interpretable));
    for (const [at, [name, ...more]] of initializers.entries()) {
      if (name === undefined || more.length > 0 || !wanted.has(name)) continue;
      this.#close(name);
      if ("folder" in weights)
        this.#rows.set(name, new FileRows(join(weights.folder, String(at)), shardOf(name)));
    }
  }

  /** The rows of a weight by name; undefined if its file is not open. */
  of(name: string): WeightRows | undefined {
    return this.#rows.get(name);
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#rows.keys()]) this.#close(name);
  }

  #close(name: string): void {
    this.#rows.get(name)?.[Symbol.dispose]();
    this.#rows.delete(name);
  }
}

/** Names of the weights that a segment's tables consist of. */
export function weightsOfTables({ instructions }: Interpretable): string[] {
  return instructions.flatMap(({ table }) => (table === undefined ? [] : weightsOf(table)));
}

function weightsOf({ values, blocks }: InterpretedTable): string[] {
  if (blocks === undefined) return [values];
  const { scales, zeroPoints } = blocks;
  return [values, scales, ...(zeroPoints === undefined ? [] : [zeroPoints])];
}

/** A weight that is a file of its own. */
class FileRows implements WeightRows, Disposable {
  readonly dims: readonly number[];
  readonly #path: string;
  readonly #descriptor: number;
  readonly #elementBytes: number;
  readonly #rowBytes: number;

  constructor(path: string, shard: WeightShard) {
    this.dims = shard.dims;
    this.#path = path;
    this.#elementBytes = bytesPerElement[shard.weight.type];
    this.#rowBytes = shard.dims[0] === 0 ? 0 : bytesOfShard(shard) / shard.dims[0]!;
    this.#descriptor = openSync(path, "r");
  }

  copy(row: number, into: TensorData, at: number): void {
    const count = this.#rowBytes;
    if (readSync(this.#descriptor, into, at * this.#elementBytes, count, row * count) === count) return;
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `${this.#path} has become shorter while the model was loaded; load the model again`,
    );
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
