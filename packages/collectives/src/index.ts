export { type ErrorCode, errorCodes, isRingrankError, RingrankError } from "@ringrank/errors";
export type { RingObserver, RingStep } from "./algorithms/ring.js";
export * from "./communicator.js";
export { groupActivity, type RankActivity } from "./group/activity.js";
export {
  createGroup,
  defaultStepTimeoutMs,
  type GroupHandle,
  type GroupOptions,
  maximumWorldSize,
} from "./group/group.js";
export { type JoinOptions, joinGroup } from "./group/join-group.js";
export { poison, poisonCause } from "./group/poison.js";
export { type KernelChoice, type Wire, wires } from "./kernels/kernels.js";
export { onAbort } from "./on-abort.js";
export { inheritedExecArgv } from "./run-ranks/inherited-exec-argv.js";
export { type RunRanksOptions, runRanks } from "./run-ranks/run-ranks.js";
export type { RankTask } from "./run-ranks/task.js";
export { threadAdvice, threadLimits } from "./run-ranks/thread-advice.js";
export { afterRunning } from "./running-time.js";
