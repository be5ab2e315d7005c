import { join } from "node:path";
import { GraphBuilder, type Weight } from "@ringrank/model";
import { bytesOf, ShardReader } from "@ringrank/model/weights";
import { buildPrograms, planGraph } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { EmulatedGroup } from "../support/emulation/emulated-group.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { shareOfCloseRows } from "../support/root-mean-square.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

planOnOneThread();

/** Enough rows that some experts get more than the kernels multiply at once. */
const ids = Array.from({ length: 96 }, (_, i) => 5 + ((i * 37) % 250));
const directory = zooDirectory("mixtral");

// multiplying-ranks.test.ts covers engines with relaxed SIMD, which Node 20 runs only with a flag.
describe.each(["int8", "int4"] as const)(
  "experts in %s that the ranks multiply themselves, even if sessions compute all else",
  (precision) => {
    const options = { precision, cache: false } as const;
    const unrounded = loadedModel(directory, { ...options, ranks: 1, activations: "float32" });

    // On 5 ranks, one has nothing of the experts, whose width of 128 is dealt in blocks of 32.
    describe.each([
      [2, 1],
      [2, 2],
      [5, 1],
    ])("on %i ranks of threads: %i", (ranks, threadsPerRank) => {
      const model = loadedModel(directory, { ...options, ranks, threadsPerRank });

      it("compute what ONNX Runtime computes with the same weights, up to rounding", async () => {
        const [own, expected] = await Promise.all(
          [model(), unrounded()].map(async (one) => (await one.run({ input_ids: [ids] })).logits!),
        );
        expect(shareOfCloseRows(own!, expected!)).toBeGreaterThanOrEqual(0.9);
      });
    });
  },
);

/** Three experts `relu(relu(x·up)·down)`. Ranks can only share them if all experts wait for sums in between. */
function mixtureThatWaits() {
  const [experts, width] = [3, 64];
  const numbers = (seed: number) =>
    Float32Array.from({ length: experts * width * width }, (_, i) => Math.sin(seed + i * 0.7) / 8);
  const folder = temporaryDirectory({ up: bytesOf(numbers(1)), down: bytesOf(numbers(2)) });
  const g = new GraphBuilder();
  const stack = (name: string) => {
    const source = { kind: "file", file: join(folder, name), offset: 0, storedAs: "float32" } as const;
    const weight: Weight = { type: "float32", dims: [experts, width, width], source };
    return g.weight(name, weight);
  };
  const x = g.input("x", "float32", ["rows", width]);
  const routing = g.unsqueeze(g.transpose(g.input("w", "float32", ["rows", experts]), [1, 0]), [2]);
  const made = g.relu(g.matmul(g.relu(g.matmul(x, stack("up"))), stack("down")));
  const sum = g.reduceSum(g.mul(made, routing), [0]);
  g.output("y", g.squeeze(sum, [0]), "float32", ["rows", width]);
  return g.build();
}

it.each(["int8", "int4"] as const)(
  "experts in %s that ranks compute all at once give what they give one by one",
  async (precision) => {
    const graph = mixtureThatWaits();
    using reader = new ShardReader();
    const inputs = {
      x: { type: "float32", dims: [2, 64], data: Float32Array.from({ length: 128 }, (_, i) => Math.cos(i)) },
      w: { type: "float32", dims: [2, 3], data: Float32Array.of(0, 0.5, 0.25, 1, 0, 0.75) },
    } as const;
    const [oneByOne, atOnce] = await Promise.all(
      [1, 2].map(async (ranks) => {
        const programs = buildPrograms(graph, planGraph(graph, { ranks, precision, activations: "float32" }));
        const group = await EmulatedGroup.open(programs, (shard) => reader.read(shard));
        const { y } = await group.run("forward", inputs);
        await group.close();
        return {
          kinds: programs[0]!.entries.forward!.steps.map(({ kind }) => kind),
          y: y!.data as Float32Array,
        };
      }),
    );
    expect(oneByOne!.kinds).toContain("routed");
    expect(atOnce!.kinds).not.toContain("routed");
    // Sums of the same numbers in another order.
    expect(atOnce!.y).toBeAllclose(oneByOne!.y, { rtol: 1e-5, atol: 1e-5 });
  },
);
