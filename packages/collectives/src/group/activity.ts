import type { GroupHandle } from "./group.js";
import { GroupMemory } from "./group-memory.js";

/** What a thread outside the group can see of a rank. */
export interface RankActivity {
  /** Changes whenever the rank finishes a round of a collective or reports that it is alive. */
  readonly count: number;
  /** Whether it is asleep because another rank has not arrived. */
  readonly isWaiting: boolean;
}

/** By rank, for one coordinating thread that watches the group from outside. */
export function groupActivity(handle: GroupHandle): readonly RankActivity[] {
  const memory = new GroupMemory(handle);
  const { words, layout, worldSize } = memory;
  return Array.from({ length: worldSize }, (_, rank) => ({
    count: memory.moves(rank),
    isWaiting: Atomics.load(words, layout.waitingFor(rank)) !== 0,
  }));
}
