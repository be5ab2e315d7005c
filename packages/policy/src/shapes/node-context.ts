import { RingrankError } from "@ringrank/errors";
import type { Attribute, Branch, ConstantTensor, DataType, GraphNode } from "@ringrank/model";
import { fromFront } from "../graph/axis.js";
import { operatorName } from "../graph/operator-name.js";
import { describe, type Evaluated } from "./evaluated.js";

/**
 * Computes the outputs of a node from its inputs; those beyond the node's own outputs are ignored.
 *
 * @throws RingrankError RR_GRAPH, by {@link NodeContext.fail}
 */
export type ShapeRule = (node: NodeContext) => readonly Evaluated[];

/** Rules by operator: `Add` for the default domain, `com.microsoft::FusedMatMul` for another. */
export type ShapeRules = Readonly<Record<string, ShapeRule>>;

/** A node as a rule sees it: evaluated inputs, typed attributes, and one way to fail. */
export class NodeContext {
  constructor(
    readonly node: GraphNode,
    /** Index among the graph's nodes. */
    readonly index: number,
    readonly inputs: readonly (Evaluated | undefined)[],
  ) {}

  /** A required input. */
  input(slot: number): Evaluated {
    return this.inputs[slot] ?? this.fail(`input ${slot}`);
  }

  optional(slot: number): Evaluated | undefined {
    return this.inputs[slot];
  }

  dims(slot: number): readonly number[] {
    return this.input(slot).dims;
  }

  type(slot: number): DataType {
    return this.input(slot).type;
  }

  /** Contents of an input on which the shape depends. */
  contents(slot: number, meaning: string): readonly number[] {
    return (
      this.input(slot).contents ??
      this.fail(`input ${slot} (${meaning}) to follow from shapes and constants, but it depends on data`)
    );
  }

  /** The single element of an input on which the shape depends. */
  scalar(slot: number, meaning: string): number {
    const contents = this.contents(slot, meaning);
    return contents.length === 1 ? contents[0]! : this.fail(`input ${slot} (${meaning}) to have one element`);
  }

  int(name: string, fallback: number): number {
    return this.#attribute(name, "int")?.value ?? fallback;
  }

  /** A required attribute. */
  requiredInt(name: string): number {
    return this.#attribute(name, "int")?.value ?? this.fail(`the attribute ${name}`);
  }

  ints(name: string): readonly number[] | undefined {
    return this.#attribute(name, "ints")?.value;
  }

  string(name: string, fallback: string): string {
    return this.#attribute(name, "string")?.value ?? fallback;
  }

  tensor(name: string): ConstantTensor | undefined {
    return this.#attribute(name, "tensor")?.value;
  }

  graph(name: string): Branch {
    return this.#attribute(name, "graph")?.value ?? this.fail(`the attribute ${name}`);
  }

  /** Any attribute, of its own kind. */
  attribute(name: string): Attribute | undefined {
    const { attributes } = this.node;
    return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
  }

  /** `axis` counted from the front; requires `−rank ≤ axis < rank`. */
  axis(axis: number, rank: number): number {
    const counted = fromFront(axis, rank);
    return Number.isInteger(counted) && counted >= 0 && counted < rank
      ? counted
      : this.fail(`an axis from ${-rank} to ${rank - 1}, not ${axis}`);
  }

  /** Axes counted from the front, each at most once. */
  axes(axes: readonly number[], rank: number): Set<number> {
    const counted = new Set(axes.map((axis) => this.axis(axis, rank)));
    return counted.size === axes.length ? counted : this.fail(`distinct axes, not [${axes}]`);
  }

  /** Refuses the node: `expected` completes "expected …". */
  fail(expected: string): never {
    const shapes = this.inputs.map(describe).join(", ");
    throw new RingrankError(
      "RR_GRAPH",
      `node ${this.index} (${operatorName(this.node)}) with inputs ${shapes || "(none)"}: expected ${expected}`,
    );
  }

  #attribute<K extends Attribute["kind"]>(
    name: string,
    kind: K,
  ): Extract<Attribute, { kind: K }> | undefined {
    const attribute = this.attribute(name);
    if (attribute === undefined) return undefined;
    return attribute.kind === kind
      ? (attribute as Extract<Attribute, { kind: K }>)
      : this.fail(`the attribute ${name} to be of kind ${kind}, not ${attribute.kind}`);
  }
}
