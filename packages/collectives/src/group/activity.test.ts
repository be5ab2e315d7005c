import { expect, it } from "vitest";
import { groupActivity } from "./activity.js";
import { createGroup } from "./group.js";
import { joinGroup } from "./join-group.js";

it("shows a thread outside the group which ranks are alive", () => {
  const handle = createGroup({ worldSize: 2 });
  const before = groupActivity(handle);
  joinGroup(handle, 1).progress();
  const after = groupActivity(handle);
  expect(after[0]).toEqual(before[0]);
  expect(after[1]!.count).not.toBe(before[1]!.count);
  expect(after[1]!.isWaiting).toBe(false);
});
