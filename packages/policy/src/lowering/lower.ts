import { RingrankError } from "@ringrank/errors";
import type { ConstantTensor, Graph, Weight } from "@ringrank/model";
import { FreshNames } from "../fresh-names.js";
import { operatorName } from "../rules/table.js";
import { dynamicQuantization } from "./dynamic-quantization.js";
import { embeddingNorm } from "./embedding-norm.js";
import { fusedActivations } from "./fused-activation.js";
import type { Lowering, Maker } from "./lowering.js";
import { ownDomain } from "./own-domain.js";
import { fuseQuantizedLookups } from "./quantized-lookup.js";
import { quantizedOperators } from "./quantized-operators.js";

const lowerings: ReadonlyMap<string, Lowering> = new Map(
  Object.entries({ ...dynamicQuantization, ...quantizedOperators, ...embeddingNorm, ...fusedActivations }),
);

/**
 * A graph in which operators that do several things at once are the several, so that what ranks do between them has a
 * place: a sum that is paid before it is rounded, the largest element of all shares.
 *
 * @throws RingrankError RR_GRAPH: an operator of the domain that stands for such parts, which no file may have
 */
export function lower(given: Graph): Graph {
  if (given.nodes.some(({ domain }) => domain === ownDomain))
    throw new RingrankError(
      "RR_GRAPH",
      `the operator domain ${ownDomain} is reserved; files must not use it`,
    );
  return takeApart(fuseQuantizedLookups(given), (node, maker) =>
    lowerings.get(operatorName(node))?.(node, maker),
  );
}

/** The graph with those of its nodes taken apart that `lowering` does not leave as they are. */
export function takeApart(graph: Graph, lowering: Lowering): Graph {
  const maker = new GraphMaker(graph);
  let changed = false;
  const nodes = graph.nodes.flatMap((node) => {
    const parts = lowering(node, maker);
    changed ||= parts !== undefined;
    return parts ?? [node];
  });
  return changed ? { ...graph, nodes, weights: maker.weights } : graph;
}

class GraphMaker implements Maker {
  readonly weights: Map<string, Weight>;
  readonly #names: FreshNames;

  constructor({ inputs, nodes, weights }: Graph) {
    this.weights = new Map(weights);
    const taken = new Set([...inputs.map(({ name }) => name), ...nodes.flatMap(({ outputs }) => outputs)]);
    this.#names = new FreshNames((name) => taken.has(name) || weights.has(name));
  }

  dims(name: string): readonly number[] | undefined {
    return this.weights.get(name)?.dims;
  }

  constant({ type, dims, data }: ConstantTensor): string {
    const name = this.value();
    this.weights.set(name, { type, dims, source: { kind: "inline", data } });
    return name;
  }

  value(): string {
    return this.#names.numbered("part");
  }
}
