import { RingrankError, requireOptions, show } from "@ringrank/errors";
import type { RingObserver } from "../algorithms/ring.js";
import { type Algorithm, algorithms, type Communicator } from "../communicator.js";
import type { KernelChoice, Kernels } from "../kernels/kernels.js";
import { plainKernels } from "../kernels/plain-kernels.js";
import { simdKernels } from "../kernels/simd-kernels.js";
import type { GroupHandle } from "./group.js";
import { GroupMember } from "./group-member.js";
import { GroupMemory } from "./group-memory.js";

export interface JoinOptions {
  /** Default `auto`, which chooses by length and world size. Must be the same on every rank. */
  readonly algorithm?: Algorithm | undefined;
  /** Observes every step of this rank's rings, for teaching and debugging. It copies the elements of each step. */
  readonly observeRing?: RingObserver | undefined;
  /** Default `simd`. Both give the same bits, so ranks may differ. */
  readonly kernels?: KernelChoice | undefined;
  /** Whether `counters.waitedMs` is measured, which reads the clock twice per wait. Default false. */
  readonly measureWaits?: boolean | undefined;
}

/**
 * Enters a group as `rank`, on the thread that will call its collectives. Each rank may only be joined once.
 *
 * @throws RR_OPTION for a rank outside the world or joined before, an unknown option or algorithm, kernels that cannot
 * be loaded, or a bad handle.
 */
export function joinGroup(handle: GroupHandle, rank: number, options: JoinOptions = {}): Communicator {
  return enterGroup(handle, rank, options);
}

/** {@link joinGroup}, with the methods that only this package uses. */
export function enterGroup(handle: GroupHandle, rank: number, options: JoinOptions): GroupMember {
  const memory = new GroupMemory(handle);
  requireOptions(options, ["algorithm", "observeRing", "kernels", "measureWaits"]);
  const { algorithm = "auto", observeRing, measureWaits = false } = options;
  if (!Number.isInteger(rank) || rank < 0 || rank >= handle.worldSize) {
    throw new RingrankError(
      "RR_OPTION",
      `rank: expected an integer from 0 to ${handle.worldSize - 1}; got ${show(rank)}`,
    );
  }
  requireAlgorithm(algorithm);
  if ((algorithm === "ring" || algorithm === "two-shot") && handle.wire !== "float32") {
    throw new RingrankError(
      "RR_OPTION",
      `algorithm: ${algorithm} would round partial sums again; with wire ${handle.wire}, choose auto or one-shot`,
    );
  }
  const kernels = loadKernels(options.kernels ?? "simd", handle);
  if (Atomics.compareExchange(memory.words, memory.layout.joined(rank), 0, 1) !== 0) {
    throw new RingrankError(
      "RR_OPTION",
      `rank: expected one that no thread has joined, got ${rank}; give each thread its own rank`,
    );
  }
  return new GroupMember(memory, handle, rank, { algorithm, observeRing, kernels, measureWaits });
}

/** @throws RR_OPTION */
export function requireAlgorithm(algorithm: Algorithm): void {
  if (!algorithms.includes(algorithm)) {
    throw new RingrankError(
      "RR_OPTION",
      `algorithm: expected ${algorithms.join(", ")}; got ${show(algorithm)}`,
    );
  }
}

/** @throws RR_OPTION */
function loadKernels(choice: KernelChoice, { memory }: GroupHandle): Kernels {
  if (choice === "simd") return simdKernels(memory);
  if (choice === "plain") return plainKernels(memory);
  throw new RingrankError("RR_OPTION", `kernels: expected simd or plain; got ${show(choice)}`);
}
