import type { FactoredGraph } from "../../analysis/factored-graph.js";
import type { RoutedExperts } from "../../analysis/routed-experts.js";
import type { Plan } from "../../decide/decide.js";
import type { RankView } from "../../decide/rank-view.js";
import type { AllReduceStep, NormalizeStep, Step } from "../program.js";
import type { ProductApart } from "../stages/products-apart.js";
import type { Stage } from "../stages/stages.js";
import { addInNorms } from "./add-in-norms.js";
import { localAttention } from "./attention.js";
import type { DeclaredValues } from "./declared-values.js";
import { localProducts } from "./local-products.js";
import type { AllGather, LocalStage } from "./local-stage.js";
import type { LocalValues } from "./local-values.js";
import type { LocalGraph } from "./localize.js";

/** Converts the stages of the whole graph to those of one rank, without whatever the rank has no part in. */
export class StageLocalizer {
  readonly #factored: FactoredGraph;
  readonly #plan: Plan;
  readonly #view: RankView;
  readonly #local: LocalGraph;
  readonly #declared: DeclaredValues;

  constructor(
    factored: FactoredGraph,
    plan: Plan,
    view: RankView,
    local: LocalGraph,
    declared: DeclaredValues,
  ) {
    this.#factored = factored;
    this.#plan = plan;
    this.#view = view;
    this.#local = local;
    this.#declared = declared;
  }

  /** @param values the rank's values, by local name */
  localize(stage: Stage, values: LocalValues): LocalStage {
    const { attention, products, allReduces, normalizations, allGathers } = stage;
    const view = this.#view;
    // Zeros have a row for each row of all experts, so a rank that contributes some within an expert computes whatever
    // else it has of the experts in the same way.
    const owesWithin = ({ body }: RoutedExperts): boolean => body.some((index) => view.zeros.has(index));
    const routed = stage.routed.filter((experts) => !owesWithin(experts));
    const together = stage.routed.filter(owesWithin);
    const nodes = [...stage.nodes, ...together.flatMap(({ body, product, sum }) => [...body, product, sum])];
    const all = [
      ...nodes,
      ...routed.map(({ sum }) => sum),
      ...[...attention, ...products].flatMap(({ body }) => body),
    ];
    const multiplies = ({ body: [product] }: ProductApart): boolean => view.isActive(product!);
    const attending = attention
      .filter(({ body }) => body.every((index) => view.isActive(index)))
      .map((one) => localAttention(one, this.#local, values));
    return {
      nodes: [
        ...nodes.flatMap((index) => this.#local.nodes[index]!),
        ...attending.flatMap(({ before }) => before),
        // The shape of zeros, and a bias that counts here, if the product is another rank's.
        ...products
          .filter((product) => !multiplies(product))
          .flatMap(({ body }) => body.flatMap((index) => this.#local.nodes[index]!)),
      ],
      zeros: all.flatMap((index) => (view.zeros.get(index) ?? []).map((value) => this.#zerosStep(value))),
      routed: routed
        .filter(({ sum }) => view.isActive(sum))
        .map((experts) => ({
          experts,
          rows: this.#local.nameOf(experts.rows)!,
          weights: this.#local.nameOf(experts.weights)!,
        })),
      attention: attending,
      products: localProducts(products.filter(multiplies), this.#local),
      ...addInNorms(
        allReduces.map((value) => this.#allReduce(value)),
        normalizations
          .filter(({ node }) => view.isActive(node))
          .map(({ node: _, ...sum }): NormalizeStep => {
            return { kind: "normalize", ...sum, value: this.#local.nameOf(sum.value)! };
          }),
      ),
      allGathers: allGathers.map((value) => this.#allGather(value)),
    };
  }

  #allReduce(value: string): AllReduceStep {
    const { placement, lateAddends } = this.#plan;
    const late = lateAddends.ofSum.get(value);
    const step = { kind: "allReduce", value: this.#local.nameOf(value)! } as const;
    if (late === undefined) return placement.largest.has(value) ? { ...step, operation: "max" } : step;
    const { rows, value: whole } = late;
    return { ...step, added: { rows, ...(whole !== undefined && { value: this.#local.nameOf(whole)! }) } };
  }

  #allGather(output: string): AllGather {
    const part = this.#plan.placement.gathered.get(output)!;
    const shard = this.#declared.shardOf(part)!;
    return { kind: "allGather", value: this.#local.nameOf(part)!, output, shard };
  }

  #zerosStep(value: string): Step {
    const dims = this.#declared.sizesOf(value);
    const step = { kind: "zeros", value: this.#local.nameOf(value)!, dims } as const;
    const { type } = this.#factored.shapes.get(value)!;
    return type === "float32" ? step : { ...step, type };
  }
}
