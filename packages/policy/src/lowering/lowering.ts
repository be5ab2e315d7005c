import type { ConstantTensor, GraphNode } from "@ringrank/model";

/** The nodes that replace a node; undefined if it stays as it is. */
export type Lowering = (node: GraphNode, maker: Maker) => readonly GraphNode[] | undefined;

/** What a lowering may query and create. */
export interface Maker {
  /** Sizes of a constant of the graph; undefined for a computed value. */
  dims(name: string): readonly number[] | undefined;
  /** A new constant; returns its name. */
  constant(tensor: ConstantTensor): string;
  /** A name for a new value. */
  value(): string;
}
