import { RingrankError, requireOptions, show } from "@ringrank/errors";
import type { CollectiveArray, ReduceOperation, ReduceOptions } from "../communicator.js";
import type { ElementType } from "../kernels/kernels.js";

// Checks that a rank can make by itself. If one fails, it poisons the group, so every rank throws the same error.

/** @throws RR_TYPE unless `data` is a Float32Array or Int32Array; RR_SHAPE if it has 2³¹ elements or more. */
export function elementType(collective: string, data: CollectiveArray): ElementType {
  // Unlike `instanceof`, this also works for arrays from another realm.
  const tag = ArrayBuffer.isView(data) ? data[Symbol.toStringTag] : undefined;
  if (tag !== "Float32Array" && tag !== "Int32Array") {
    const came = tag ?? show(data);
    throw new RingrankError("RR_TYPE", `${collective}: expected a Float32Array or Int32Array, got ${came}`);
  }
  if (data.length >= elementLimit) {
    throw new RingrankError(
      "RR_SHAPE",
      `${collective}: expected fewer than 2^31 elements, got ${data.length}`,
    );
  }
  return tag === "Float32Array" ? "float32" : "int32";
}

/** @throws RR_OPTION */
export function requireOperation(operation: ReduceOperation): void {
  if (operation !== "sum" && operation !== "max") {
    throw new RingrankError("RR_OPTION", `operation: expected sum or max, got ${show(operation)}`);
  }
}

/** @throws RR_OPTION */
export function requireWire(options: ReduceOptions | undefined): "float32" | undefined {
  if (options === undefined) return undefined;
  requireOptions(options, ["wire"]);
  const { wire } = options;
  if (wire === undefined || wire === "float32") return wire;
  throw new RingrankError(
    "RR_OPTION",
    `wire: expected float32 or none, for the group's own; got ${show(wire)}`,
  );
}

/** @throws RR_OPTION */
export function requireRoot(root: number, worldSize: number): void {
  if (!Number.isInteger(root) || root < 0 || root >= worldSize) {
    throw new RingrankError(
      "RR_OPTION",
      `root: expected a rank from 0 to ${worldSize - 1}, got ${show(root)}`,
    );
  }
}

/** @throws RR_SHAPE unless `counts` has one length per rank, and fewer than 2³¹ elements in total. */
export function requireCounts(counts: readonly number[], worldSize: number): void {
  const fits = (count: number) => Number.isInteger(count) && count >= 0;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.length !== worldSize || !counts.every(fits) || total >= elementLimit) {
    throw new RingrankError(
      "RR_SHAPE",
      `counts: expected ${worldSize} lengths, one per rank, below 2^31 in total; got [${counts.join(", ")}]`,
    );
  }
}

/** @throws RR_SHAPE or RR_TYPE unless `out` fits the result. */
export function requireOut(out: CollectiveArray, type: ElementType, length: number): void {
  const came = elementType("out", out);
  if (came !== type) throw new RingrankError("RR_TYPE", `out: expected ${type} like the part, got ${came}`);
  if (out.length !== length) {
    throw new RingrankError("RR_SHAPE", `out: expected ${length} elements, got ${out.length}`);
  }
}

/** Headers hold lengths as signed 32-bit words. */
const elementLimit = 2 ** 31;
