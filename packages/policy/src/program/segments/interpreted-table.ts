import { type GraphNode, intAttribute } from "@ringrank/model";
import { operatorName } from "../../graph/operator-name.js";
import type { InterpretedTable } from "../segment-work.js";
import type { SegmentContext } from "./segment.js";

/**
 * The table in which a node looks rows up along the first axis, by the indices in its second input, if a rank can read
 * the rows itself: a weight that is float32, or quantized in blocks with scales of float32.
 */
export function tableOf(node: GraphNode, shards: SegmentContext["shards"]): InterpretedTable | undefined {
  const [values = "", , scales = "", zeroPoints = ""] = node.inputs;
  const typeOf = (name: string) => shards.get(name)?.weight.type;
  switch (operatorName(node)) {
    case "Gather":
      return typeOf(values) === "float32" && intAttribute(node, "axis", 0) === 0 ? { values } : undefined;
    case "com.microsoft::GatherBlockQuantized": {
      // Its shape rule has checked that it looks bytes up along the first axis, with blocks along the last.
      const isMatrix = typeOf(values) === "uint8" && shards.get(values)!.dims.length === 2;
      const isRead = typeOf(scales) === "float32" && (zeroPoints === "" || typeOf(zeroPoints) === "uint8");
      if (!isMatrix || !isRead) return undefined;
      const [bits, size] = [intAttribute(node, "bits", 4), intAttribute(node, "block_size", 128)];
      return { values, blocks: { bits, size, scales, ...(zeroPoints !== "" && { zeroPoints }) } };
    }
    default:
      return undefined;
  }
}
