import { RingrankError } from "@ringrank/errors";
import type { FileSource } from "../graph/graph.js";
import type { StoredTensor } from "./safetensors.js";
import { storedTypes } from "./stored-types.js";

/**
 * The tensor as the source of a graph's weight.
 *
 * @throws RR_TYPE if weights of its element type cannot be used; a tensor that no weight uses may have any type
 */
export function fileSource(name: string, tensor: StoredTensor): FileSource {
  const stored = storedTypes.get(tensor.dtype);
  if (stored?.type === undefined || !stored.usable) {
    const usable = [...storedTypes].filter(([, { usable }]) => usable).map(([dtype]) => dtype);
    throw new RingrankError(
      "RR_TYPE",
      `${tensor.file}: tensor ${JSON.stringify(name)} is stored as ${tensor.dtype}; expected one of ` +
        `${usable.join(", ")}`,
    );
  }
  return { kind: "file", file: tensor.file, offset: tensor.offset, storedAs: stored.type };
}
