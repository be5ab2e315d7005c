import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import { bytesOf, readStatistics, ShardReader } from "@ringrank/model/weights";
import type { RankProgram, Segment, WeightShard } from "@ringrank/policy";
import type { Tensor } from "onnxruntime-node";
import type { NativeGate } from "../lifecycle.js";
import { tensor } from "../tensors/tensor.js";
import type { OpenSession, OrtSession } from "./ort-binding.js";
import { type ExternalData, sessionOptions } from "./session-options.js";

interface LoadContext {
  readonly openSession: OpenSession;
  readonly gate: NativeGate;
  /** Threads of each session. */
  readonly threads: number;
  /** Called after each shard with the bytes loaded so far. */
  readonly onBytes: (bytesLoaded: number) => void;
}

/** A program's sessions and shared weights, and what they took. */
export interface LoadedSessions {
  /** By segment. */
  readonly sessions: readonly OrtSession[];
  /** By name: weights that are fed as inputs, whole to several segments or by the expert to one. */
  readonly sharedWeights: ReadonlyMap<string, Tensor>;
  /** Parameter bytes kept, in the types they are computed in. */
  readonly bytesKept: number;
  readonly bytesRead: number;
}

/**
 * Reads the rank's shard and opens a session for each segment.
 *
 * Segments are loaded one after the other, and a segment's buffers are let go once its session has copied them, so
 * the peak is the rank's shard plus one segment. If one fails, those already open are released.
 *
 * @throws RR_CLOSED if the process ends meanwhile; whatever reading a shard throws; RR_POLICY if the program names a
 * weight it does not have, or its byte count is not what was loaded; RR_GRAPH if the runtime refuses a segment
 */
export async function loadSessions(program: RankProgram, context: LoadContext): Promise<LoadedSessions> {
  using shards = new Shards(program, context.onBytes);
  const sessions: OrtSession[] = [];
  try {
    const sharedWeights = new Map<string, Tensor>();
    for (const name of fedWeights(program)) {
      const { data, shard } = shards.read(name);
      sharedWeights.set(name, tensor(shard.weight.type, data, shard.dims));
    }
    for (const [index, segment] of program.segments.entries()) {
      sessions.push(await openSegment(segment, index, shards, context));
    }
    if (shards.bytesKept !== program.bytes) {
      throw new RingrankError(
        "RR_POLICY",
        `expected the program to load ${program.bytes} bytes of weights, got ${shards.bytesKept}`,
        { rank: program.rank },
      );
    }
    return { sessions, sharedWeights, bytesKept: shards.bytesKept, bytesRead: shards.bytesRead };
  } catch (error) {
    await releaseSessions(sessions, context.gate);
    throw error;
  }
}

/** Weights that stay in the rank's own memory. */
function fedWeights({ segments, entries }: RankProgram): Set<string> {
  const steps = Object.values(entries).flatMap((entry) => entry.steps);
  const stacks = steps.flatMap((step) => (step.kind === "routed" ? step.stacks : []));
  return new Set([...segments.flatMap((segment) => segment.sharedWeights), ...stacks]);
}

/** Releases every session, unless the process is ending: then its memory goes with it. */
export async function releaseSessions(sessions: readonly OrtSession[], gate: NativeGate): Promise<void> {
  if (gate.stopped) return;
  for (const session of sessions) await gate.inside(() => session.release());
}

async function openSegment(
  segment: Segment,
  index: number,
  shards: Shards,
  { openSession, gate, threads }: LoadContext,
): Promise<OrtSession> {
  const externalData = segment.initializers.map((path): ExternalData => {
    const { data } = shards.read(path);
    return { path, data: bytesOf(data) };
  });
  return gate.inside(async () => {
    try {
      return await openSession(segment.onnx, sessionOptions(threads, externalData));
    } catch (cause) {
      throw new RingrankError("RR_GRAPH", `ONNX Runtime refused segment ${index}: ${String(cause)}`, {
        cause,
      });
    }
  });
}

/** Reads the weights of one program, counting. */
class Shards implements Disposable {
  readonly #program: RankProgram;
  readonly #reader = new ShardReader();
  readonly #onBytes: (bytesLoaded: number) => void;
  readonly #readBefore = readStatistics().bytes;
  bytesKept = 0;

  constructor(program: RankProgram, onBytes: (bytesLoaded: number) => void) {
    this.#program = program;
    this.#onBytes = onBytes;
  }

  get bytesRead(): number {
    return readStatistics().bytes - this.#readBefore;
  }

  read(name: string): { readonly data: TensorData; readonly shard: WeightShard } {
    const shard = Object.hasOwn(this.#program.weights, name) ? this.#program.weights[name] : undefined;
    if (shard === undefined) {
      throw new RingrankError(
        "RR_POLICY",
        `expected the program to have the weight "${name}", which a segment uses`,
        {
          rank: this.#program.rank,
        },
      );
    }
    const data = this.#reader.read(shard);
    this.bytesKept += data.byteLength;
    this.#onBytes(this.bytesKept);
    return { data, shard };
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}
