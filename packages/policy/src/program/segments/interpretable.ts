import { type DataType, fromOnnxDataType, type GraphNode, intAttribute, type Weight } from "@ringrank/model";
import { operatorName } from "../../graph/operator-name.js";
import type { LocalValues } from "../local/local-values.js";
import type { Segment } from "../program.js";
import type {
  Interpretable,
  InterpretedConstant,
  InterpretedInstruction,
  InterpretedType,
} from "../segment-work.js";
import { tableOf } from "./interpreted-table.js";
import type { SegmentContext } from "./segment.js";

/**
 * What a segment computes, if a rank can interpret all of its nodes: the work that remains between steps that ranks
 * compute themselves, such as positions, masks, a choice of rows, and lookups in tables.
 *
 * @returns undefined if any node is another operator, or has a form or a type that is not interpreted
 */
export function describeInterpretable(
  nodes: readonly GraphNode[],
  { inputs, outputs }: Pick<Segment, "inputs" | "outputs">,
  { constants, values, shards }: Pick<SegmentContext, "constants" | "values" | "shards">,
): Interpretable | undefined {
  const made = nodes.flatMap((node) => node.outputs);
  if (![...inputs, ...made].every((name) => isInterpreted(values.get(name)?.type))) return undefined;

  const read = [...new Set(nodes.flatMap((node) => node.inputs))].filter((name) => constants.has(name));
  const known = read.map((name) => constantOf(constants.get(name)!));
  const instructions: InterpretedInstruction[] = [];
  const numbers = new Map([...inputs, ...read].map((name, number) => [name, number]));
  for (const node of nodes) {
    const table = tableOf(node, shards);
    const form: Form | undefined = table === undefined ? formOf(node) : { operator: "Gather", table };
    const names = table === undefined ? node.inputs : [node.inputs[1]!];
    const operands = names.flatMap((name) => numbers.get(name) ?? []);
    if (form === undefined || operands.length < names.length) return undefined;
    // Sizes must follow from those of the inputs, and would otherwise depend on a value from elsewhere.
    if (isSizedBySecond(form) && operands[1]! < inputs.length) return undefined;
    numbers.set(node.outputs[0]!, numbers.size);
    instructions.push({ ...form, operands });
  }
  return known.includes(undefined)
    ? undefined
    : {
        constants: known.filter((one) => one !== undefined),
        instructions,
        outputs: outputs.map((name) => numbers.get(name)!),
      };
}

/** Whether a rank can interpret a node, wherever its sizes come from. */
export function canInterpret(node: GraphNode, values: LocalValues): boolean {
  return formOf(node) !== undefined && node.outputs.every((name) => isInterpreted(values.get(name)?.type));
}

/** The most elements of a constant, because each step that runs the segment has a copy of it. */
const mostElements = 4096;

/** Returns undefined if it is too long, or has integers that JavaScript numbers cannot represent. */
function constantOf({ type, dims, source }: Weight): InterpretedConstant | undefined {
  if (source.kind !== "inline" || !isInterpreted(type) || source.data.length > mostElements) return undefined;
  const elements = Array.from(source.data, Number);
  const isExact = type !== "int64" || elements.every(Number.isSafeInteger);
  return isExact ? { type, dims, elements } : undefined;
}

function isInterpreted(type: DataType | undefined): type is InterpretedType {
  return type === "float32" || type === "int64" || type === "bool";
}

type Form = Omit<InterpretedInstruction, "operands">;

/** The node without its operands; undefined if it is not interpreted. */
function formOf(node: GraphNode): Form | undefined {
  const name = operatorName(node);
  if (isUniform(name)) {
    const isPlain = node.inputs.length === operandCounts[name] && intAttribute(node, "allowzero", 0) === 0;
    return isPlain ? { operator: name } : undefined;
  }
  switch (name) {
    case "Cast": {
      const to = fromOnnxDataType(intAttribute(node, "to", 0));
      return isInterpreted(to) ? { operator: name, to } : undefined;
    }
    case "Concat":
      return { operator: name, axis: intAttribute(node, "axis", 0) };
    case "Gather":
      return intAttribute(node, "axis", 0) === 0 ? { operator: name } : undefined;
    case "Shape": {
      const { start, end } = node.attributes;
      return {
        operator: name,
        ...(start?.kind === "int" && { start: start.value }),
        ...(end?.kind === "int" && { end: end.value }),
      };
    }
    default:
      return undefined;
  }
}

function isSizedBySecond({ operator }: Form): boolean {
  return operator === "Expand" || operator === "Reshape" || operator === "Unsqueeze";
}

/** The number of operands of operators that are defined by their operands alone. Axes used to be attributes. */
const operandCounts = {
  Add: 2,
  And: 2,
  Cos: 1,
  Equal: 2,
  Expand: 2,
  Greater: 2,
  GreaterOrEqual: 2,
  Less: 2,
  LessOrEqual: 2,
  Log: 1,
  Mul: 2,
  Neg: 1,
  Not: 1,
  Or: 2,
  Reshape: 2,
  Sin: 1,
  Sub: 2,
  Unsqueeze: 2,
  Where: 3,
} as const;

function isUniform(name: string): name is keyof typeof operandCounts {
  return Object.hasOwn(operandCounts, name);
}
