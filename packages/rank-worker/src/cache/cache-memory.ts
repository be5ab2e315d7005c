import type { DataType, TensorData } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";

/** The memory for cached rows. */
export interface CacheMemory {
  /** Allocates zeros. */
  allocate(type: DataType, count: number): TensorData;
  /** Called when `data` is no longer used. */
  release(data: TensorData): void;
}

/** The engine's own memory. */
export const ordinaryMemory: CacheMemory = {
  allocate,
  release() {},
};
