import type { DataType, TensorData } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";

/** Where cached rows lie. */
export interface CacheMemory {
  /** New zeros. */
  allocate(type: DataType, count: number): TensorData;
  /** Called when nobody looks at `data` any more. */
  release(data: TensorData): void;
}

/** The engine's own. */
export const ordinaryMemory: CacheMemory = {
  allocate,
  release() {},
};
