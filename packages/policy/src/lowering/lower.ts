import { RingrankError } from "@ringrank/errors";
import type { ConstantTensor, Graph, Weight } from "@ringrank/model";
import { inlineWeight } from "../graph/constants.js";
import { FreshNames } from "../graph/fresh-names.js";
import { operatorName } from "../graph/operator-name.js";
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
 * Replaces operators that do several things at once by several operators, so that ranks can communicate in between: a
 * sum is reduced before it is rounded, and the largest element of all shares is found.
 *
 * @throws RingrankError RR_GRAPH: an operator of the domain for such parts, which files must not use
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

/** The graph with those nodes replaced for which `lowering` returns a replacement. */
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

  constructor(graph: Graph) {
    this.weights = new Map(graph.weights);
    this.#names = FreshNames.notIn(graph);
  }

  dims(name: string): readonly number[] | undefined {
    return this.weights.get(name)?.dims;
  }

  constant(tensor: ConstantTensor): string {
    const name = this.value();
    this.weights.set(name, inlineWeight(tensor));
    return name;
  }

  value(): string {
    return this.#names.numbered("part");
  }
}
