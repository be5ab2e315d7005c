import { PartitionPolicy } from "@ringrank/policy/decision";
import { expect, test, vi } from "vitest";
import type { Offload } from "../offload/offload.js";
import type { PlanningService, PlanRequest } from "../offload/planning-service.js";
import { checkLoadOptions } from "../options/check-load-options.js";
import { planOn } from "./plan-model.js";

/** A planning thread that notes its requests, and plans nothing. */
function planningNothing() {
  const plan = vi.fn((_: PlanRequest) => ({ policy: { version: 2 }, directory: "there" }));
  const call = (use: (service: { plan: typeof plan }) => unknown) => use({ plan });
  return { plan, planning: { call } as unknown as Offload<PlanningService> };
}

test("everything that decides a plan reaches the thread that plans", async () => {
  const { plan, planning } = planningNothing();
  const decisive = { dtype: "q4", ranks: 3, objective: "time", memoryPerRank: 5e6 } as const;
  const precision = { precision: "int8", activations: "float32" } as const;
  const { directory } = await planOn(planning, "a/model", checkLoadOptions({ ...decisive, ...precision }));
  expect(plan.mock.calls).toEqual([[{ pathOrId: "a/model", ...decisive, ...precision, policy: undefined }]]);
  expect(directory).toBe("there");
});

test("a policy crosses as its JSON", async () => {
  const { plan, planning } = planningNothing();
  const data = { version: 2, ranks: 1 } as ConstructorParameters<typeof PartitionPolicy>[0];
  await planOn(planning, "a/model", checkLoadOptions({ policy: new PartitionPolicy(data) }));
  expect(plan.mock.calls[0]![0].policy).toEqual(data);
});

test("refuses a policy that JSON cannot hold, without asking the thread", async () => {
  const { plan, planning } = planningNothing();
  const policy: Record<string, unknown> = {};
  policy.itself = policy;
  const planned = planOn(planning, "a/model", checkLoadOptions({ policy }));
  await expect(planned).rejects.toMatchObject({ code: "RR_POLICY" });
  expect(plan).not.toHaveBeenCalled();
});
