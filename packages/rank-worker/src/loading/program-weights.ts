import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import { bytesOf, bytesOfShard, rowPieces, ShardReader, type WeightShard } from "@ringrank/model/weights";
import type { RankProgram } from "@ringrank/policy";
import { type Initializers, inTurns } from "./initializers.js";
import type { WeightPlaces } from "./kept-weights.js";
import { pieceBytes, WeightWriter } from "./write-weight.js";

/** Reads the weights of one program from the model's files, and counts them. */
export class ProgramWeights implements Disposable {
  readonly program: RankProgram;
  readonly #reader: ShardReader;
  readonly #writer: WeightWriter;
  readonly #onBytes: (bytesLoaded: number) => void;
  /** Names of the weights that have been loaded. */
  readonly #loaded = new Set<string>();
  #bytesInMemory = 0;

  /**
   * @param onBytes called after each weight with the bytes loaded so far
   * @param reader closed together with this
   */
  constructor(
    program: RankProgram,
    onBytes: (bytesLoaded: number) => void,
    reader = new ShardReader({ scratchBytes: pieceBytes }),
  ) {
    this.program = program;
    this.#onBytes = onBytes;
    this.#reader = reader;
    this.#writer = new WeightWriter(reader);
  }

  /** Bytes of the weights loaded so far. */
  get bytesInMemory(): number {
    return this.#bytesInMemory;
  }

  /** @throws RR_POLICY if the program does not contain it */
  shard(name: string): WeightShard {
    const { weights, rank } = this.program;
    const shard = Object.hasOwn(weights, name) ? weights[name] : undefined;
    if (shard !== undefined) return shard;
    throw new RingrankError(
      "RR_POLICY",
      `expected the program to contain the weight "${name}", which it uses`,
      {
        rank,
      },
    );
  }

  /** The size of all initializers. */
  bytesOf(initializers: Initializers): number {
    return initializers.flat().reduce((bytes, name) => bytes + bytesOfShard(this.shard(name)), 0);
  }

  /** The elements, in new memory. */
  read(name: string): TensorData {
    const data = this.#reader.read(this.shard(name));
    this.count(name);
    return data;
  }

  /** The bytes of each initializer. */
  readInitializers(initializers: Initializers): Uint8Array[] {
    const parts = initializers.map((): Uint8Array[] => []);
    for (const { at, item } of inTurns(initializers)) parts[at]!.push(bytesOf(this.read(item)));
    return parts.map(concatenate);
  }

  /**
   * Writes the bytes of each initializer to a new file in `folder` named by its index.
   *
   * @param onPiece receives the bytes of each file in order
   */
  writeInitializers(
    folder: string,
    initializers: Initializers,
    onPiece?: (bytes: Uint8Array, file: number) => void,
  ): void {
    for (const { at, item: name, isFirst } of inTurns(initializers)) {
      const path = join(folder, String(at));
      this.#writer.write(this.shard(name), path, isFirst ? "new" : "append", (bytes) => onPiece?.(bytes, at));
      this.count(name);
    }
  }

  /** Fills the memory of weights that are read together, directly from the model's files. */
  readInto(places: WeightPlaces): void {
    const pieces = [...places.keys()].map((name) => [...rowPieces(this.shard(name), pieceBytes)]);
    const unfilled = [...places.values()].map(bytesOf);
    for (const { at, item } of inTurns(pieces)) {
      const { byteLength } = this.#reader.read(item, unfilled[at]!);
      unfilled[at] = unfilled[at]!.subarray(byteLength);
    }
    for (const name of places.keys()) this.count(name);
  }

  /** Counts the weight as loaded; repeated calls have no effect. */
  count(name: string): void {
    if (this.#loaded.has(name)) return;
    this.#loaded.add(name);
    this.#bytesInMemory += bytesOfShard(this.shard(name));
    this.#onBytes(this.#bytesInMemory);
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}
