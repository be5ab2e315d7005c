import { RingrankError, requireOptions } from "@ringrank/errors";
import { broadcast } from "../algorithms/broadcast.js";
import { AlgorithmChoice } from "../algorithms/choose.js";
import type { RingObserver } from "../algorithms/ring.js";
import { sumRounded } from "../algorithms/rounded.js";
import type {
  Algorithm,
  CollectiveArray,
  CollectiveCounters,
  Communicator,
  GatherOptions,
  ReduceOperation,
  ReduceOptions,
  ReduceScatterOptions,
} from "../communicator.js";
import type { ElementType, Kernels, WireKernels } from "../kernels/kernels.js";
import { nearEven, piecesOf } from "../pieces.js";
import {
  elementType,
  requireCounts,
  requireOperation,
  requireOut,
  requireRoot,
  requireWire,
} from "./arguments.js";
import { Elements } from "./elements.js";
import type { GroupHandle } from "./group.js";
import type { GroupMemory } from "./group-memory.js";
import { hasCoreEach } from "./looks.js";
import { isPoisoned, poisonFrom, readPoison } from "./poison.js";
import { Poisoned, Rounds } from "./rounds.js";
import { Transport } from "./transport.js";

/** What the `JoinOptions` of the same names ask for, with the kernels loaded. */
interface MemberSettings {
  readonly algorithm: Algorithm;
  readonly observeRing: RingObserver | undefined;
  readonly kernels: Kernels;
  readonly measureWaits: boolean;
}

/** A {@link Communicator} over a group's memory. It checks and counts calls, and delegates them to an algorithm. */
export class GroupMember implements Communicator {
  readonly rank: number;
  readonly worldSize: number;
  readonly #memory: GroupMemory;
  readonly #rounds: Rounds;
  readonly #transport: Transport;
  readonly #choice: AlgorithmChoice;
  readonly #elements: { readonly float32: Elements<Float32Array>; readonly int32: Elements<Int32Array> };
  /** For sums of float32 that cross in a narrower form. */
  readonly #wire: WireKernels | undefined;
  #collectives = 0;
  #bytes = 0;
  #isCalling = false;

  constructor(memory: GroupMemory, handle: GroupHandle, rank: number, settings: MemberSettings) {
    const { algorithm, observeRing, kernels, measureWaits } = settings;
    this.rank = rank;
    this.worldSize = handle.worldSize;
    this.#memory = memory;
    this.#rounds = new Rounds(memory, handle, rank, measureWaits);
    this.#transport = new Transport(memory, this.#rounds);
    const sharesCores = !hasCoreEach(this.worldSize, handle.cores);
    this.#choice = new AlgorithmChoice(algorithm, this.worldSize, sharesCores, observeRing);
    this.#elements = {
      float32: new Elements(memory, rank, "float32", kernels),
      int32: new Elements(memory, rank, "int32", kernels),
    };
    this.#wire = handle.wire === "float32" ? undefined : kernels.wires[handle.wire];
  }

  get counters(): CollectiveCounters {
    return { collectives: this.#collectives, bytes: this.#bytes, waitedMs: this.#rounds.waitedMs };
  }

  get meanwhile(): (() => void) | undefined {
    return this.#rounds.meanwhile;
  }

  set meanwhile(work: (() => void) | undefined) {
    this.#rounds.meanwhile = work;
  }

  allReduce<T extends CollectiveArray>(
    data: T,
    operation: ReduceOperation = "sum",
    options?: ReduceOptions,
  ): T {
    return this.#collective(() => {
      const type = elementType("allReduce", data);
      requireOperation(operation);
      const wire = requireWire(options) === "float32" ? undefined : this.#wire;
      this.#count(data);
      if (this.worldSize === 1) return data;
      const { length } = data;
      if (wire !== undefined && operation === "sum" && type === "float32") {
        const sum = { type, operation: "rounded sum", length } as const;
        this.#transport.open({ kind: "allReduce", algorithm: "one-shot", ...sum });
        sumRounded(this.#transport, this.#elements.float32, data as Float32Array, wire);
        return data;
      }
      const algorithm = this.#choice.of("allReduce", data.byteLength);
      this.#transport.open({ kind: "allReduce", algorithm: algorithm.name, type, operation, length });
      algorithm.allReduce<CollectiveArray>(this.#transport, this.#elements[type], data, operation);
      return data;
    });
  }

  allGather(part: Float32Array, options?: GatherOptions<Float32Array>): Float32Array;
  allGather(part: Int32Array, options?: GatherOptions<Int32Array>): Int32Array;
  allGather(part: CollectiveArray, options: GatherOptions<CollectiveArray> = {}): CollectiveArray {
    return this.#collective(() => {
      const type = elementType("allGather", part);
      requireOptions(options, ["counts", "out"]);
      const { length } = part;
      const counts = options.counts ?? new Array<number>(this.worldSize).fill(length);
      requireCounts(counts, this.worldSize);
      if (length !== counts[this.rank]) {
        throw new RingrankError(
          "RR_MISMATCH",
          `rank ${this.rank} called allGather with ${length} elements, but its count is ${counts[this.rank]}`,
          { rank: this.rank },
        );
      }
      const pieces = piecesOf(counts);
      if (options.out !== undefined) requireOut(options.out, type, pieces.total);
      this.#count(part);
      const out = options.out ?? newArray(type, pieces.total);
      out.set(part, pieces.starts[this.rank]!);
      if (this.worldSize === 1) return out;
      const algorithm = this.#choice.of("allGather", out.byteLength);
      const call = { kind: "allGather", algorithm: algorithm.name, type } as const;
      this.#transport.open(options.counts ? { ...call, counts } : { ...call, length });
      algorithm.allGather<CollectiveArray>(this.#transport, this.#elements[type], pieces, out);
      return out;
    });
  }

  reduceScatter(data: Float32Array, options?: ReduceScatterOptions): Float32Array;
  reduceScatter(data: Int32Array, options?: ReduceScatterOptions): Int32Array;
  reduceScatter(data: CollectiveArray, options: ReduceScatterOptions = {}): CollectiveArray {
    return this.#collective(() => {
      const type = elementType("reduceScatter", data);
      requireOptions(options, ["operation", "counts"]);
      const { operation = "sum" } = options;
      requireOperation(operation);
      const { length } = data;
      const counts = options.counts ?? nearEven(length, this.worldSize);
      requireCounts(counts, this.worldSize);
      const pieces = piecesOf(counts);
      if (pieces.total !== length) {
        throw new RingrankError(
          "RR_SHAPE",
          `counts: expected ${length} elements in total, the length of the data; got [${counts.join(", ")}]`,
          { rank: this.rank },
        );
      }
      this.#count(data);
      if (this.worldSize === 1) return data.slice();
      const algorithm = this.#choice.of("reduceScatter", data.byteLength);
      const out = newArray(type, counts[this.rank]!);
      const call = { kind: "reduceScatter", algorithm: algorithm.name, type, operation, length } as const;
      this.#transport.open({ ...call, counts: options.counts });
      const elements = this.#elements[type];
      algorithm.reduceScatter<CollectiveArray>(this.#transport, elements, data, pieces, operation, out);
      return out;
    });
  }

  broadcast<T extends CollectiveArray>(data: T, root = 0): T {
    return this.#collective(() => {
      const type = elementType("broadcast", data);
      requireRoot(root, this.worldSize);
      this.#count(data);
      if (this.worldSize === 1) return data;
      this.#transport.open({ kind: "broadcast", type, length: data.length, root });
      broadcast<CollectiveArray>(this.#transport, this.#elements[type], data, root);
      return data;
    });
  }

  barrier(): void {
    this.#collective(() => {
      this.#collectives++;
      if (this.worldSize === 1) return;
      this.#transport.open({ kind: "barrier" });
      this.#transport.publish();
    });
  }

  progress(): void {
    this.#rounds.progress();
  }

  poison(error: RingrankError): void {
    poisonFrom(this.#memory, this.rank, RingrankError.wrap(error, "RR_RANK_FAILED").toData());
  }

  /** Declares that this rank will call no more collectives. A rank that still does fails with `RR_MISMATCH` at once. */
  leave(): void {
    this.#transport.leave();
  }

  /** Runs a collective. Any error inside poisons the group, and the group's first cause is thrown. */
  #collective<R>(body: () => R): R {
    if (isPoisoned(this.#memory)) throw this.#cause();
    try {
      if (this.#isCalling) throw this.#nested();
      this.#isCalling = true;
      const result = body();
      this.#isCalling = false;
      return result;
    } catch (error) {
      if (!(error instanceof Poisoned)) {
        const failure = RingrankError.wrap(error, "RR_RANK_FAILED").toData();
        // The message names all ranks that disagree; any other fault here is this rank's own.
        const own = failure.code === "RR_MISMATCH" ? {} : { rank: this.rank };
        poisonFrom(this.#memory, this.rank, { ...own, ...failure });
      }
      throw this.#cause();
    }
  }

  /** Whatever this rank calls while it waits for others, they are not there to take part in. */
  #nested(): RingrankError {
    const { rank } = this;
    const message =
      `rank ${rank} called a collective inside ${this.#rounds.during}: expected none in comm.meanwhile, or in a ` +
      "ring's observer";
    return new RingrankError("RR_MISMATCH", message, { rank });
  }

  #cause(): RingrankError {
    return RingrankError.fromData(readPoison(this.#memory)!);
  }

  #count(operand: CollectiveArray): void {
    this.#collectives++;
    this.#bytes += operand.byteLength;
  }
}

function newArray(type: ElementType, length: number): CollectiveArray {
  return type === "float32" ? new Float32Array(length) : new Int32Array(length);
}
