import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { assembledExport } from "../../../../test/support/onnx-exports.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { GraphBuilder, type Value } from "../graph/index.js";
import { openExport } from "./open-export.js";
import { rowsLookedUp } from "./rows-looked-up.js";

/** The limit found in a graph that does this with its positions. */
function limitOf(work: (g: GraphBuilder, positions: Value) => Value): number | undefined {
  const g = new GraphBuilder();
  const made = work(g, g.input("position_ids", "int64", ["batch", "sequence"]));
  g.output("made", made, "float32", []);
  return rowsLookedUp(g.build(), "position_ids");
}

const table = (g: GraphBuilder, rows: number): Value =>
  g.weight(`of ${rows}`, { type: "float32", dims: [rows, 8], source: { kind: "absent" } });

describe("the number of positions that a graph has rows for is", () => {
  it("that of the table in which they are looked up", () => {
    expect(limitOf((g, positions) => g.gather(table(g, 128), positions, 0))).toBe(128);
  });

  it("less by the rows before position 0", () => {
    const behindPadding = (g: GraphBuilder, positions: Value): Value => {
      const moved = g.add(g.integer(2), g.reshape(g.cast(positions, "int64"), [-1]));
      return g.gather(table(g, 130), moved, 0);
    };
    expect(limitOf(behindPadding)).toBe(128);
  });

  it("that of the table of rotary angles", () => {
    const rotary = (g: GraphBuilder, positions: Value): Value => {
      const x = g.input("x", "float32", ["batch", 2, "sequence", 16]);
      const inputs = [x, positions, table(g, 64), table(g, 64)];
      return g.node("RotaryEmbedding", inputs, { domain: "com.microsoft" });
    };
    expect(limitOf(rotary)).toBe(64);
  });

  it("that of a quantized table too", () => {
    const quantized = (g: GraphBuilder, rows: number): Value =>
      g.weight(`q of ${rows}`, { type: "uint8", dims: [rows, 8], source: { kind: "absent" } });
    const dequantized = (g: GraphBuilder, positions: Value): Value =>
      g.gather(g.node("DequantizeLinear", [quantized(g, 96), g.numbers(Float32Array.of(0.5))]), positions, 0);
    expect(limitOf(dequantized)).toBe(96);
    const blocks = (g: GraphBuilder, positions: Value): Value =>
      g.node("GatherBlockQuantized", [quantized(g, 80), positions, table(g, 80)], {
        domain: "com.microsoft",
      });
    expect(limitOf(blocks)).toBe(80);
  });

  it("the smallest of several tables", () => {
    const both = (g: GraphBuilder, positions: Value): Value =>
      g.add(g.gather(table(g, 128), positions, 0), g.gather(table(g, 100), positions, 0));
    expect(limitOf(both)).toBe(100);
  });

  it("not limited if positions are used in arithmetic, or to look up something else", () => {
    expect(limitOf((g, positions) => g.cos(g.cast(positions, "float32")))).toBeUndefined();
    const halved = (g: GraphBuilder, positions: Value): Value =>
      g.gather(table(g, 128), g.node("Div", [positions, g.integer(2)]), 0);
    expect(limitOf(halved)).toBeUndefined();
  });
});

test.each([
  ["optimum/gpt2", 128],
  ["optimum/opt", 128],
  ["onnxruntime-genai/llama-fp32", 128],
  ["optimum/bloom", undefined],
])("%s without its config takes its context from its tables", (name, context) => {
  const directory = temporaryDirectory();
  for (const file of ["model.onnx", ...(name.startsWith("onnxruntime") ? ["model.onnx.data"] : [])])
    copyFileSync(join(assembledExport(name), file), join(directory, file));
  expect(openExport(join(directory, "model.onnx")).maxContext).toBe(context);
});
