import { GraphBuilder } from "@ringrank/model";
import { expect, it } from "vitest";
import { lower } from "./lower.js";

it.each(["QLinearAveragePool", "QLinearGlobalAveragePool"])(
  "%s with channels last is not lowered, since there is no plain operator for it",
  (operator) => {
    const g = new GraphBuilder();
    const image = g.input("image", "uint8", ["batch", 5, 4, 3]);
    const [scale, zero] = [g.input("scale", "float32", []), g.input("zero", "uint8", [])];
    const attributes = { channels_last: { kind: "int", value: 1 } } as const;
    const pooled = g.node(operator, [image, scale, zero, scale, zero], {
      domain: "com.microsoft",
      attributes,
    });
    g.output("pooled", pooled, "uint8", []);
    const graph = g.build();
    expect(lower(graph)).toBe(graph);
  },
);
