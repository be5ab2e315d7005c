import type { GraphNode } from "@ringrank/model";
import type { FactoredGraph } from "../analysis/factored-graph.js";
import { operatorName } from "../graph/operator-name.js";
import { isGather } from "../lowering/own-domain.js";
import type { CollectiveData } from "../partition-policy/partition-policy.js";
import type { Described } from "./described.js";

/** Every all-reduce, then every all-gather: what leaves a part of a value, and what needs it whole. */
export function describeCollectives({ factored, plan }: Described): CollectiveData[] {
  const { paid, largest, gathered } = plan.placement;
  const reduced = [...paid].map((value): CollectiveData => {
    const [operation, what] = largest.has(value)
      ? (["max", "the largest of its share"] as const)
      : (["sum", "a sum over ranks"] as const);
    const reason = `${producerOf(value, factored)} leaves ${what}, needed whole by ${readersOf(value, factored)}`;
    return { kind: "allReduce", operation, value, bytes: plan.step.bytesOf(value), reason };
  });
  const whole = [...gathered].map(([output, value]): CollectiveData => {
    const readers = readersOf(output, factored);
    const reason = `sharded by ${producerOf(value, factored)}, read whole by ${readers}, which has no rule`;
    return { kind: "allGather", value, bytes: plan.step.bytesOf(output), reason };
  });
  return [...reduced, ...whole];
}

function producerOf(value: string, { wiring }: FactoredGraph): string {
  const producer = wiring.producer(value);
  return producer === undefined ? "the caller" : operatorName(wiring.node(producer));
}

function readersOf(value: string, factored: FactoredGraph): string {
  const names = new Set(readingNodes(value, factored).map(operatorName));
  return names.size === 0 ? "the caller" : [...names].join(" and ");
}

/** The nodes that read the whole, after a node that gathers a value. */
function readingNodes(value: string, factored: FactoredGraph): readonly GraphNode[] {
  const readers = factored.wiring.readers(value);
  return readers.flatMap((node) => (isGather(node) ? readingNodes(node.outputs[0]!, factored) : [node]));
}
