import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";
import { matrixBytes, ShardCache } from "@ringrank/rank-worker";
import { setKernelFlags } from "@ringrank/webassembly";
import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { zooDirectory } from "../../../model/src/testing/fixtures.js";
// Threads start from the build, so the build is tested.
import { KeptPlan } from "../../dist/loading/kept-plan.js";
import { type Prepared, prepareModel } from "../../dist/loading/prepare-model.js";
import { checkLoadOptions } from "../../dist/options/check-load-options.js";

// Ranks only multiply by quantized weights themselves with these flags.
setKernelFlags();

const noRoom = new RingrankError("RR_ADDRESS_SPACE", "no room");

/** Ranks that have memory for their kernels, or not. */
const ranks = (haveRoom: boolean) => ({
  start: vi.fn(),
  reserve: vi.fn(async () => (haveRoom ? undefined : noRoom)),
});

const directory = zooDirectory("llama");

const hasProducts = ({ plan }: Prepared): boolean =>
  plan.programs.some(({ entries }) => entries.forward!.steps.some(({ kind }) => kind === "product"));

/** A load of a small model in int4, without earlier results, and the place of its plan. */
function load() {
  const cacheDirectory = join(temporaryDirectory(), "cache");
  const options = checkLoadOptions({ ranks: 2, precision: "int4", cacheDirectory });
  const kept = () => KeptPlan.of(directory, options, pino({ level: "silent" }))!;
  const keep = ({ plan }: Prepared): void => {
    using cache = ShardCache.open(plan.programs, cacheDirectory, 1e9);
    kept().keep(plan, cache!);
  };
  return { prepare: (those = ranks(true)) => prepareModel(directory, options, those, kept()), keep };
}

test("ranks are asked to reserve as much memory as their products need, once they have started", async () => {
  const those = ranks(true);
  const prepared = await load().prepare(those);
  expect(hasProducts(prepared)).toBe(true);
  expect(prepared.obstacle).toBeUndefined();
  expect(those.reserve.mock.calls).toEqual([[prepared.plan.programs.map(matrixBytes)]]);
  expect(those.start.mock.invocationCallOrder[0]).toBeLessThan(those.reserve.mock.invocationCallOrder[0]!);
});

test("ranks without that memory get programs whose products are ONNX Runtime's", async () => {
  const { plan } = await load().prepare();
  const without = await load().prepare(ranks(false));
  expect(hasProducts(without)).toBe(false);
  expect(without.obstacle).toBe(noRoom);
  expect(without.plan.refused).toEqual(plan.programs.map(matrixBytes));
});

test("ranks of several threads, whose products are ONNX Runtime's, are not asked", async () => {
  const those = ranks(false);
  const options = checkLoadOptions({ ranks: 2, threadsPerRank: 2 });
  const { obstacle } = await prepareModel(directory, options, those);
  expect(obstacle).toBeUndefined();
  expect(those.reserve).not.toHaveBeenCalled();
});

test.each([true, false])(
  "a cached plan is reused for ranks like those it was made for (with memory: %s)",
  async (room) => {
    const { prepare, keep } = load();
    const first = await prepare(ranks(room));
    keep(first);
    const again = await prepare(ranks(room));
    expect(again.isKept).toBe(true);
    expect(again.obstacle).toBe(first.obstacle);
    expect(hasProducts(again)).toBe(room);
  },
);

test.each([true, false])(
  "a cached plan is replaced for ranks of the other kind (with memory: %s)",
  async (room) => {
    const { prepare, keep } = load();
    keep(await prepare(ranks(!room)));
    const other = await prepare(ranks(room));
    expect(other.isKept).toBe(false);
    expect(hasProducts(other)).toBe(room);
    keep(other);
    expect((await prepare(ranks(room))).isKept).toBe(true);
  },
);
