import { type DataType, type GraphNode, int, toOnnxDataType } from "@ringrank/model";
import { makeNode } from "../../graph/make-node.js";
import { type LocalStage, nothing } from "./local-stage.js";

/** The types that collectives reduce. */
const wire: ReadonlySet<DataType> = new Set<DataType>(["float32", "int32"]);

/**
 * Sums of a type that collectives do not support, above all float16, cross in float32: the stage that computes one
 * casts it, and the next stage casts it back for its readers.
 *
 * @returns the stages, and by sum the name under which it crosses
 */
export function castSums(
  stages: readonly LocalStage[],
  typeOf: (value: string) => DataType,
): { stages: LocalStage[]; crossing: ReadonlyMap<string, string> } {
  const crossing = new Map<string, string>();
  const cast: LocalStage[] = [];
  let back: GraphNode[] = [];
  for (const stage of stages) {
    const sums = stage.allReduces.map(({ value }) => value).filter((value) => !wire.has(typeOf(value)));
    const nodes = [...back, ...stage.nodes];
    cast.push(sums.length === 0 ? { ...stage, nodes } : crossingStage(stage, nodes, sums, crossing));
    back = sums.map((value) => castTo(crossing.get(value)!, value, typeOf(value)));
  }
  if (back.length > 0) cast.push({ ...nothing, nodes: back });
  return { stages: cast, crossing };
}

function crossingStage(
  stage: LocalStage,
  nodes: readonly GraphNode[],
  sums: readonly string[],
  crossing: Map<string, string>,
): LocalStage {
  // Its readers, in later stages, use the sum's name, so this rank's partial sum gets another.
  const own = new Map(sums.map((value) => [value, `${value}·part`]));
  for (const value of sums) crossing.set(value, `${value}·float32`);
  const rename = (name: string): string => own.get(name) ?? name;
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const renamed = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  const casts = sums
    .filter((value) => made.has(value))
    .map((value) => castTo(rename(value), crossing.get(value)!, "float32"));
  return {
    ...stage,
    nodes: [...renamed, ...casts],
    zeros: stage.zeros.map((step) => {
      if (step.kind !== "zeros" || !own.has(step.value)) return step;
      return { kind: "zeros", value: crossing.get(step.value)!, dims: step.dims };
    }),
    allReduces: stage.allReduces.map((step) => ({ ...step, value: crossing.get(step.value) ?? step.value })),
  };
}

function castTo(input: string, output: string, type: DataType): GraphNode {
  return makeNode("Cast", [input], output, { to: int(toOnnxDataType(type)) });
}
