import { floatAttribute, type GraphNode, intAttribute, intsAttribute } from "@ringrank/model";
import { axisOf } from "../graph/axis.js";
import { operatorName } from "../graph/operator-name.js";
import { transposesSecondAtMost } from "../graph/transposition.js";
import type { Wiring } from "../graph/wiring.js";
import { isOne, isStatic, type SizePair } from "../shapes/size-pair.js";
import type { FactoredGraph } from "./factored-graph.js";

/**
 * Attention of new rows over the rows of a cache and over themselves, recognised by what it computes:
 *
 *     scores  = [ α·q·Kᵀ | α·q·kᵀ ] + addends       K, V: cached rows, inputs; k, v: new rows, to be cached
 *     context = softmax(scores) · [ V ; v ]
 *
 * q, k and v come from projections by head, and q and k may be rotated by a rotary embedding.
 */
export interface CachedAttention {
  /** Indices of the nodes from the projections to the context. */
  readonly body: readonly number[];
  readonly projections: Projections;
  readonly pastKeys: string;
  readonly pastValues: string;
  readonly presentKeys: string;
  readonly presentValues: string;
  /** Names of the addends of the scores, each broadcast to `[batch, heads, sequence, past + sequence]`. */
  readonly addends: readonly string[];
  /** Whether some addend differs between heads. */
  readonly biasByHead: boolean;
  readonly scale: number;
  readonly rotary: RotaryTurn | undefined;
  /** `[batch, sequence, heads · lanes]`. */
  readonly context: string;
}

/** Names of the projections, whose rows have heads, and lanes within heads, in any order of the axes. */
export interface Projections {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /**
   * The single value, `[batch, sequence, width]`, that the three are cut from inside the body, and how; if they are.
   */
  readonly cut?: { readonly from: string; readonly by: "parts" | "heads" };
}

export interface RotaryTurn {
  /** Names of values, both `[batch, sequence, lanes / 2]`. */
  readonly cos: string;
  readonly sin: string;
  /** How many lanes are rotated, counted from the first; 0 for all. */
  readonly lanes: number;
  readonly interleaved: boolean;
}

export function findCachedAttention(factored: FactoredGraph): CachedAttention[] {
  const { graph, nodes, shapes, wiring } = factored;
  const kept = graph.caches.flatMap((cache) => (cache.filledBy === undefined ? cache.states : []));
  const presents = new Map(kept.map(({ past, present }) => [past, present]));
  const sizesOf = (name: string): readonly SizePair[] => shapes.get(name)?.dims ?? [];
  return nodes.flatMap(({ operator }, index) => {
    if (operator.node.opType !== "Softmax") return [];
    return new Matcher(wiring, presents, sizesOf).match(index) ?? [];
  });
}

const matmul = "MatMul";
const fusedMatmul = "com.microsoft::FusedMatMul";
/** `[batch, heads, sequence, lanes]` from `[batch, sequence, heads, lanes]`, and back. */
const swapsHeads = "0,2,1,3";

/** Follows the edges around one softmax, collecting the nodes it passes. */
class Matcher {
  readonly #wiring: Wiring;
  /** By cached rows: the new rows. */
  readonly #presents: ReadonlyMap<string, string>;
  readonly #sizesOf: (name: string) => readonly SizePair[];
  readonly #body = new Set<number>();

  constructor(
    wiring: Wiring,
    presents: ReadonlyMap<string, string>,
    sizesOf: (name: string) => readonly SizePair[],
  ) {
    this.#wiring = wiring;
    this.#presents = presents;
    this.#sizesOf = sizesOf;
  }

  match(softmax: number): CachedAttention | undefined {
    this.#body.add(softmax);
    const { inputs, outputs } = this.#wiring.node(softmax);
    const scores = this.#scores(inputs[0]!);
    const mix = this.#mix(outputs[0]!);
    if (scores === undefined || mix === undefined) return undefined;
    const { query, ...compared } = scores;
    if (this.#presents.get(compared.pastKeys) !== compared.presentKeys) return undefined;
    if (this.#presents.get(mix.pastValues) !== mix.presentValues) return undefined;

    const queries = this.#turned(query);
    const keys = this.#turned(compared.presentKeys);
    if (JSON.stringify(queries.turn) !== JSON.stringify(keys.turn)) return undefined;
    const projections = this.#projections(queries.from, keys.from, mix.presentValues);
    const open = [mix.context, compared.presentKeys, mix.presentValues];
    if (!this.#wiring.isClosed(this.#body, open)) return undefined;
    const body = [...this.#body].sort((a, b) => a - b);
    return { ...compared, ...mix, body, projections, rotary: queries.turn };
  }

  /** From the softmax back to queries and keys. */
  #scores(softmaxInput: string) {
    const addends: string[] = [];
    let name = softmaxInput;
    // The scores are the first operand: their addends depend on no query.
    for (let add = this.#madeBy(name, "Add"); add !== undefined; add = this.#madeBy(name, "Add")) {
      addends.push(add.inputs[1]!);
      name = add.inputs[0]!;
    }
    const concat = this.#madeBy(this.#beforeReshape(name), "Concat");
    if (concat === undefined || concat.inputs.length !== 2) return undefined;
    const [past, present] = concat.inputs.map((product) => this.#madeBy(product, fusedMatmul));
    if (past === undefined || present === undefined || past.inputs[0] !== present.inputs[0]) return undefined;
    if (!isScoring(past) || JSON.stringify(past.attributes) !== JSON.stringify(present.attributes)) {
      return undefined;
    }
    return {
      query: this.#beforeReshape(past.inputs[0]!),
      pastKeys: past.inputs[1]!,
      presentKeys: present.inputs[1]!,
      scale: floatAttribute(past, "alpha", 1),
      addends,
      biasByHead: addends.some((addend) => isSeveral(this.#sizesOf(addend).at(-3))),
    };
  }

  /** From the softmax on to the context. */
  #mix(softmaxOutput: string) {
    const split = this.#read(this.#afterReshape(softmaxOutput), "Split");
    if (split === undefined || split.outputs.length !== 2) return undefined;
    const [past, present] = split.outputs.map((share) => this.#read(share, matmul));
    if (past?.inputs[0] !== split.outputs[0] || present?.inputs[0] !== split.outputs[1]) return undefined;
    const sum = this.#read(past!.outputs[0]!, "Add");
    if (sum === undefined || !sum.inputs.includes(present!.outputs[0]!)) return undefined;
    const swapped = this.#read(this.#afterReshape(sum.outputs[0]!), "Transpose");
    const joined = swapped && this.#read(swapped.outputs[0]!, "Reshape");
    if (joined === undefined || intsAttribute(swapped!, "perm")?.join() !== swapsHeads) return undefined;
    const context = joined.outputs[0]!;
    if (this.#sizesOf(context).length !== 3) return undefined;
    return { pastValues: past!.inputs[1]!, presentValues: present!.inputs[1]!, context };
  }

  #turned(name: string): { readonly from: string; readonly turn: RotaryTurn | undefined } {
    const node = this.#madeBy(name, "RotaryEmbedding");
    // Without position ids, angles are given row by row.
    if (node === undefined || node.inputs.length !== 3) return { from: name, turn: undefined };
    const [from, cos, sin] = node.inputs;
    const lanes = intAttribute(node, "rotary_embedding_dim", 0);
    const interleaved = intAttribute(node, "interleaved", 0) === 1;
    return { from: from!, turn: { cos: cos!, sin: sin!, lanes, interleaved } };
  }

  #projections(query: string, key: string, value: string): Projections {
    const cut = this.#cutByHeads([query, key, value]);
    if (cut !== undefined) return { query, key, value, cut: { from: cut, by: "heads" } };
    const rows = [query, key, value].map((name) => this.#rows(name));
    const [first, second, third] = rows;
    const separate = { query: first!, key: second!, value: third! };
    const split = this.#peek(first!, "Split");
    const [from] = split?.inputs ?? [];
    if (split === undefined || from === undefined || this.#sizesOf(from).length !== 3) return separate;
    const axis = axisOf(split, 0, 3);
    if (axis !== 2 || split.outputs.join() !== rows.join()) return separate;
    this.#madeBy(first!, "Split");
    return { ...separate, cut: { from, by: "parts" } };
  }

  /**
   * The value behind `name`, `[batch, heads, sequence, lanes]`, before heads became an axis and moved in front of the
   * rows.
   */
  #rows(name: string): string {
    const swap = this.#peek(name, "Transpose");
    if (swap === undefined || intsAttribute(swap, "perm")?.join() !== swapsHeads) return name;
    this.#madeBy(name, "Transpose");
    const [separated] = swap.inputs;
    const reshape = this.#peek(separated!, "Reshape");
    if (reshape === undefined || this.#sizesOf(reshape.inputs[0]!).length !== 3) return separated!;
    return this.#beforeReshape(separated!);
  }

  /**
   * Returns `x` if the three are cut from `[batch, sequence, heads, (queries | key | value), lanes]`, which is `x`
   * reshaped, with heads moved in front of the rows.
   */
  #cutByHeads(names: readonly string[]): string | undefined {
    const shaped = names.map((name, at) => this.#peek(name, at === 0 ? "Reshape" : "Squeeze"));
    // Without groups, queries need no reshaping of their own.
    const parts = shaped.map((node, at) => node?.inputs[0] ?? (at === 0 ? names[0]! : ""));
    const split = this.#peek(parts[0]!, "Split");
    if (split === undefined || intAttribute(split, "axis", 0) !== 2) return undefined;
    if (split.outputs.join() !== parts.join()) return undefined;
    const swap = this.#peek(split.inputs[0]!, "Transpose");
    if (swap === undefined || intsAttribute(swap, "perm")?.join() !== "0,2,3,1,4") return undefined;
    const reshape = this.#peek(swap.inputs[0]!, "Reshape");
    if (reshape === undefined || this.#sizesOf(reshape.inputs[0]!).length !== 3) return undefined;
    for (const name of [...names, parts[0]!, split.inputs[0]!, swap.inputs[0]!]) this.#take(name);
    return reshape.inputs[0]!;
  }

  /** The node that computes `name`, if it is of this kind; it is then part of the body. */
  #madeBy(name: string, operator: string): GraphNode | undefined {
    const node = this.#peek(name, operator);
    if (node !== undefined) this.#take(name);
    return node;
  }

  #peek(name: string, operator: string): GraphNode | undefined {
    const index = this.#wiring.producer(name);
    const node = index === undefined ? undefined : this.#wiring.node(index);
    return node !== undefined && operatorName(node) === operator ? node : undefined;
  }

  #take(name: string): void {
    this.#body.add(this.#wiring.producer(name)!);
  }

  /** The value that `name` is reshaped from, or `name` itself. */
  #beforeReshape(name: string): string {
    return this.#madeBy(name, "Reshape")?.inputs[0] ?? name;
  }

  /** The only node that reads `name`, if it is of this kind; it is then part of the body. */
  #read(name: string, operator: string): GraphNode | undefined {
    const index = this.#wiring.soleReader(name);
    const node = index === undefined ? undefined : this.#wiring.node(index);
    if (index === undefined || node === undefined || operatorName(node) !== operator) return undefined;
    this.#body.add(index);
    return node;
  }

  /** The value that `name` is only read to be reshaped to, or `name` itself. */
  #afterReshape(name: string): string {
    return this.#read(name, "Reshape")?.outputs[0] ?? name;
  }
}

function isSeveral(size: SizePair | undefined): boolean {
  return size !== undefined && isStatic(size) && !isOne(size);
}

/** Whether a product's second operand is transposed, and nothing else is done to either operand. */
function isScoring(node: GraphNode): boolean {
  return intAttribute(node, "transB", 0) === 1 && transposesSecondAtMost(node);
}
