import { availableParallelism } from "node:os";
import { RingrankError, requireOptions, show } from "@ringrank/errors";
import { type SharedMemory, sharedMemory } from "@ringrank/webassembly";
import { type Wire, wires } from "../kernels/kernels.js";
import { GroupLayout } from "./layout.js";
import { mostLooks } from "./looks.js";

export interface GroupOptions {
  /** Number of ranks in the group, 1 to 64. */
  readonly worldSize: number;
  /**
   * How long, in milliseconds, a rank waits for another that makes no progress before the group fails with
   * `RR_TIMEOUT`. Default 120 000, minimum 100; `Infinity` allowed.
   */
  readonly stepTimeoutMs?: number | undefined;
  /**
   * Bytes of one window. Longer messages are sent in several windows. Default 262 144; a multiple of 64 from 256 (one
   * element for each of 64 ranks) to 16 777 216; a little less for 64 ranks, since a memory has at most 4 GiB. Each
   * rank has two windows. This option changes no results.
   */
  readonly windowBytes?: number | undefined;
  /**
   * The form in which all-reduced sums of float32 cross between ranks; all other collectives stay exact. The default,
   * `float32`, rounds nothing. `float16` rounds each rank's operand to 11 significant bits: by at most 2⁻¹¹ of its size
   * from 2⁻¹⁴ on, and by at most 2⁻²⁵ below that; from 65 520 on it becomes infinite. `int8` rounds to 127 steps up to
   * the largest of 32 neighbours (by at most 1/254 of that, from 2 · 10⁻³⁶ on). Every rank still gets the same bits.
   * Since memory is shared, narrow forms only cost time: they show how a slower link would affect the results.
   */
  readonly wire?: Wire | undefined;
}

/**
 * A process group as data. Structured clone carries it to every thread, which enters the group by {@link joinGroup}.
 */
export interface GroupHandle {
  readonly memory: SharedMemory;
  readonly worldSize: number;
  readonly stepTimeoutMs: number;
  readonly windowBytes: number;
  /** How often a rank polls a peer's counter, at most, before it sleeps. */
  readonly looks: number;
  readonly wire: Wire;
  /** Number of cores that this process may run on. */
  readonly cores: number;
}

export const maximumWorldSize = 64;
export const defaultStepTimeoutMs = 120_000;
/** Bytes that a WebAssembly memory can have. */
const largestMemory = 2 ** 32;

/**
 * Creates the shared memory of a process group, on any thread.
 *
 * @throws RR_RANKS unless the world size is 1 to 64; RR_OPTION for another option that is unknown or outside its range.
 */
export function createGroup(options: GroupOptions): GroupHandle {
  requireOptions(options, ["worldSize", "stepTimeoutMs", "windowBytes", "wire"]);
  const {
    worldSize,
    stepTimeoutMs = defaultStepTimeoutMs,
    windowBytes = 262_144,
    wire = "float32",
  } = options;
  checkWorldSize(worldSize);
  if (typeof stepTimeoutMs !== "number" || !(stepTimeoutMs >= 100)) {
    throw new RingrankError(
      "RR_OPTION",
      `stepTimeoutMs: expected a number of milliseconds from 100, or Infinity; got ${show(stepTimeoutMs)}`,
    );
  }
  if (
    !Number.isInteger(windowBytes) ||
    windowBytes < 256 ||
    windowBytes > 2 ** 24 ||
    windowBytes % 64 !== 0
  ) {
    throw new RingrankError(
      "RR_OPTION",
      `windowBytes: expected a multiple of 64 from 256 to 16777216; got ${show(windowBytes)}`,
    );
  }
  if (!wires.includes(wire)) {
    throw new RingrankError("RR_OPTION", `wire: expected ${wires.join(", ")}; got ${show(wire)}`);
  }
  const { bytes } = new GroupLayout(worldSize, windowBytes);
  if (bytes > largestMemory) {
    throw new RingrankError(
      "RR_OPTION",
      `windowBytes: expected shorter windows, since a memory has at most ${largestMemory} bytes; with windows of ` +
        `${windowBytes}, ${worldSize} ranks take ${bytes}`,
    );
  }
  const cores = availableParallelism();
  return {
    memory: sharedMemory(bytes),
    worldSize,
    stepTimeoutMs,
    windowBytes,
    wire,
    looks: mostLooks,
    cores,
  };
}

/** @throws RR_RANKS unless `worldSize` is an integer from 1 to 64. */
function checkWorldSize(worldSize: number): void {
  if (!Number.isInteger(worldSize) || worldSize < 1 || worldSize > maximumWorldSize) {
    throw new RingrankError(
      "RR_RANKS",
      `number of ranks: expected an integer from 1 to ${maximumWorldSize}; got ${show(worldSize)}`,
    );
  }
}
