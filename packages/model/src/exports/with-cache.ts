import { RingrankError } from "@ringrank/errors";
import { CausalCaches } from "../architectures/blocks/causal-cache.js";
import {
  type DataType,
  type Graph,
  GraphBuilder,
  type GraphNode,
  interfaceNames,
  renameValues,
  type SymbolicDim,
  type Value,
  type ValueInfo,
  valueWithSizes,
} from "../graph/index.js";
import { namesOf } from "../graph/names-of.js";
import { extended, redirect } from "./edit.js";
import { lastSize } from "./last-size.js";
import { type StatePair, statePairs } from "./state-pairs.js";
import { type StateSources, stateSources } from "./state-sources.js";

/** The names of a decoder's tokens and their mask. */
export interface TokenNames {
  readonly ids: string;
  readonly mask: string;
}

export interface WithCacheOptions {
  /** Default: those of a standalone decoder. */
  readonly tokens?: TokenNames;
  /** Inputs that others fill. Default: none. */
  readonly filled?: readonly string[];
}

/**
 * A decoder export with a cache: its past becomes the state of a graph, and a step outputs only new rows.
 *
 * ```
 *  exported   past_key_values.0.key ─┬─ Concat ─ present.0.key, …      attention_mask over past and new tokens
 *             new rows ──────────────┘
 *  here       past.0.key ─┬─ Concat ─ …                                past_positions ≥ 0 ─┬─ Concat ─ …
 *             new rows ───┴─ present.0.key                             attention_mask ─────┘
 * ```
 *
 * Fused attention becomes the attention of the project's own architectures, which reads its cache in place and masks
 * the unused rows. Attention that exporters write in primitive operators uses the size of the past as the number of
 * its rows (a position, a distance, the edge of a window may be `size + index`), so its cache is exact. A graph without
 * a past is returned unchanged.
 *
 * @throws RR_NO_GENERATE for a past that is not a cache, and for inputs that a step cannot fill
 */
export function withCache(graph: Graph, options: WithCacheOptions = {}): Graph {
  const { pairs, onlyRead } = statePairs(graph);
  const [lone] = onlyRead;
  if (lone !== undefined) throw notACache(`the past ${lone.past.name} has no present that grows from it`);
  return pairs.length === 0 ? graph : new CachedDecoder(graph, pairs, options).graph();
}

class CachedDecoder {
  readonly #exported: Graph;
  readonly #pairs: readonly StatePair[];
  readonly #tokens: TokenNames;
  readonly #inputs: ReadonlyMap<string, ValueInfo>;
  /** The new tokens of a step: any number, or the one that the export was made for. */
  readonly #sequence: SymbolicDim;
  readonly #sources: StateSources;

  constructor(graph: Graph, pairs: readonly StatePair[], options: WithCacheOptions) {
    const { tokens = { ids: interfaceNames.inputIds, mask: interfaceNames.attentionMask }, filled = [] } =
      options;
    this.#exported = graph;
    this.#pairs = pairs;
    this.#tokens = tokens;
    this.#inputs = new Map(graph.inputs.map((input) => [input.name, input]));
    this.#sequence = this.#inputs.get(tokens.ids)?.dims[1] === 1 ? 1 : "sequence";
    const pasts = pairs.map(({ past }) => past.name);
    const known = [tokens.ids, tokens.mask, interfaceNames.positionIds, ...pasts, ...filled];
    const other = graph.inputs.find(({ name }) => !known.includes(name));
    if (other !== undefined) throw notACache(`a step does not know how to fill the input ${other.name}`);
    this.#sources = stateSources(graph, pairs);
  }

  graph(): Graph {
    const logits = this.#narrowLogits();
    const remade = new Set(this.#pairs.flatMap(({ past, present }) => [past.name, present.name]));
    if (logits !== undefined) remade.add(logits.name);
    const apart = (name: string): string => (remade.has(name) ? `exported·${name}` : name);
    const exported = renameValues(this.#exported, apart);
    const g = new GraphBuilder(namesOf(exported));
    const replaced = this.#replacements(g, exported, apart);
    if (logits !== undefined) {
      g.output(logits.name, g.cast(g.read(apart(logits.name)), "float32"), "float32", logits.dims);
    }

    const built = g.build();
    const reads = new Map([...replaced].map(([name, value]) => [name, value.name]));
    const lowered = new Set(this.#sources.fused.map(({ node }) => node.outputs[0]!));
    const rest = {
      ...exported,
      inputs: this.#keptInputs(),
      outputs: exported.outputs.filter(({ name }) => !remade.has(name.replace(/^exported·/, ""))),
      nodes: [
        ...redirect(
          exported.nodes.filter(({ outputs }) => !lowered.has(outputs[0]!)),
          reads,
        ),
        ...namedOutputs(exported.outputs, reads),
      ],
    };
    return withoutUnreadInputs(extended(rest, built), built);
  }

  /**
   * What the graph reads instead of the exported values of these names: caches, attention over them, and the mask.
   *
   * @param exported the export, with the names that `apart` gives to what is remade
   */
  #replacements(g: GraphBuilder, exported: Graph, apart: (name: string) => string): Map<string, Value> {
    const step = {
      attentionMask: this.#perToken(g, this.#tokens.mask),
      positionIds: this.#perToken(g, interfaceNames.positionIds),
    };
    const { appended, fused } = this.#sources;
    const caches = new CausalCaches(g, step, {
      exact: appended.length > 0 || fused.some(({ exact }) => exact),
    });
    const replaced = new Map<string, Value>();
    for (const state of appended) {
      replaced.set(apart(state.past.name), caches.get().keep(state.state, g.read(state.rows), state));
    }
    for (const { node, key, value, lower } of fused) {
      const input = (slot: number): Value | undefined =>
        node.inputs[slot] ? g.read(node.inputs[slot]) : undefined;
      const weight = (slot: number) => exported.weights.get(node.inputs[slot] ?? "");
      const last = (slot: number) => lastSize(node.inputs[slot] ?? "", exported);
      replaced.set(
        node.outputs[0]!,
        lower({ g, node, input, weight, lastSize: last, key, value, caches, step }),
      );
    }
    const mask = this.#inputs.get(this.#tokens.mask);
    if (mask !== undefined) replaced.set(mask.name, longMask(g, mask, caches.get().filled));
    return replaced;
  }

  /** Tokens are chosen by float32 logits; an export in float16 often has float16 logits. */
  #narrowLogits(): ValueInfo | undefined {
    return this.#exported.outputs.find(
      ({ name, type }) => name === interfaceNames.logits && type !== "float32",
    );
  }

  /** An input of the export, or a new one if the export does not read it. */
  #perToken(g: GraphBuilder, name: string): Value {
    return this.#inputs.has(name) ? g.read(name) : g.input(name, "int64", ["batch", this.#sequence]);
  }

  /** The inputs that are not state, with the sizes that one step has. */
  #keptInputs(): ValueInfo[] {
    const { ids, mask } = this.#tokens;
    const [batch, sequence] = this.#inputs.get(ids)?.dims ?? [];
    const isAny = typeof sequence === "string" && batch !== sequence;
    if (typeof batch !== "string" || !(isAny || sequence === 1)) {
      throw notACache(
        `expected an input ${ids} of any [batch, sequence] or [batch, 1], found [${this.#inputs.get(ids)?.dims}]`,
      );
    }
    const symbols = new Map<SymbolicDim, SymbolicDim>([
      [batch, "batch"],
      [sequence, this.#sequence],
    ]);
    const pasts = new Set(this.#pairs.map(({ past }) => past.name));
    return [...this.#inputs.values()]
      .filter(({ name }) => !pasts.has(name))
      .map((input) =>
        input.name === mask ? { ...input, dims: ["batch", this.#sequence] } : valueWithSizes(input, symbols),
      );
  }
}

/** The mask over past rows and new tokens, `[batch, past + sequence]`, in the type that the export reads. */
function longMask(g: GraphBuilder, mask: ValueInfo, filled: Value): Value {
  const types = ["float32", "float16", "int64", "int32", "bool"] as const satisfies readonly DataType[];
  const type = types.find((one) => one === mask.type);
  if (type === undefined || mask.dims.length !== 2) {
    throw notACache(
      `expected a mask ${mask.name} of [batch, past + sequence], found ${mask.type} [${mask.dims}]`,
    );
  }
  return g.concat([type === "bool" ? filled : g.cast(filled, type), g.read(mask.name)], 1);
}

/** Outputs of the graph that are replaced keep their names. */
function namedOutputs(outputs: readonly ValueInfo[], reads: ReadonlyMap<string, string>): GraphNode[] {
  return outputs.flatMap(({ name }) => {
    const made = reads.get(name);
    if (made === undefined) return [];
    return [{ opType: "Identity", domain: "", inputs: [made], outputs: [name], attributes: {} }];
  });
}

/** Removes caches and inputs that were created because a step has them, and that turned out not to be needed. */
function withoutUnreadInputs(graph: Graph, built: Graph): Graph {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const caches = graph.caches.filter(({ positions, states }) => states.length > 0 || read.has(positions));
  for (const { positions } of caches) read.add(positions);
  const made = new Set(built.inputs.map(({ name }) => name));
  return { ...graph, caches, inputs: graph.inputs.filter(({ name }) => read.has(name) || !made.has(name)) };
}

function notACache(found: string): RingrankError {
  return new RingrankError("RR_NO_GENERATE", `the decoder's past is not understood as a cache: ${found}`);
}
