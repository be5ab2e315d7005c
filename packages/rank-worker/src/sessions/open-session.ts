import { threadLimits } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { Segment } from "@ringrank/policy";
import type { NativeGate } from "../lifecycle.js";
import type { OpenSession, OrtSession } from "./ort-binding.js";
import { type SessionThreads, type SessionWeights, sessionOptions } from "./session-options.js";

interface OpenContext {
  readonly openSession: OpenSession;
  readonly gate: NativeGate;
  readonly threads: SessionThreads;
}

/**
 * Opens a segment's session.
 *
 * @param index the segment's index, for errors
 * @throws RR_GRAPH if the runtime refuses the segment; RR_CLOSED if the process ends
 */
export function openSession(
  { onnx }: Segment,
  index: number,
  weights: SessionWeights,
  { openSession: open, gate, threads }: OpenContext,
): Promise<OrtSession> {
  return gate.inside(async () => {
    try {
      return await open(onnx, sessionOptions(threads, weights));
    } catch (cause) {
      if (/pthread_create failed/.test(String(cause))) throw noThread(cause);
      throw new RingrankError("RR_GRAPH", `ONNX Runtime refused segment ${index}: ${String(cause)}`, {
        cause,
      });
    }
  });
}

/** The system refuses a thread of a session's pool. */
function noThread(cause: unknown): Error {
  const advice = `Lower threadsPerRank, or raise how many threads the system lets the process have (${threadLimits})`;
  return new Error(`ONNX Runtime cannot start a thread of its own. ${advice}`, { cause });
}

/** Releases every session, unless the process is ending, which frees the memory anyway. */
export async function releaseSessions(sessions: readonly OrtSession[], gate: NativeGate): Promise<void> {
  if (gate.stopped) return;
  for (const session of sessions) await gate.inside(() => session.release());
}
