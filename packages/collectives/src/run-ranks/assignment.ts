import type { Algorithm } from "../communicator.js";
import type { GroupHandle } from "../group/group.js";

// Everything that crosses between runRanks and the threads it starts.

/** `workerData` of one rank's thread. */
export interface Assignment {
  readonly group: GroupHandle;
  readonly rank: number;
  readonly algorithm: Algorithm;
  readonly taskUrl: string;
  readonly data: unknown;
}

/** What a thread posts, once. The cause of a failure travels through the group's poison, where the first one wins. */
export type Outcome = { readonly kind: "result"; readonly value: unknown } | { readonly kind: "failed" };
