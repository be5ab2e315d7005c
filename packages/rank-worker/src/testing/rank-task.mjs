/**
 * What a rank of these tests does, for `runRanks`: loads its program and answers calls in order. Plain JavaScript on
 * the built package, since a thread's entry is not transformed by the test runner; on its bundles, since each thread
 * imports anew, and only what it needs.
 */
import { findSynchronousBinding } from "../../dist/bundle/ort-binding.js";
import { Rank } from "../../dist/bundle/rank.js";
import { NativeGate } from "../../dist/lifecycle.js";
import { rankLogger } from "../../dist/logging.js";

export async function run(communicator, { programs, calls, binding = "synchronous", threads = 1 }) {
  const words = new SharedArrayBuffer(4 * (1 + communicator.worldSize));
  const rank = new Rank({
    communicator,
    gate: new NativeGate(words, communicator.rank),
    openSession: binding === "synchronous" ? findSynchronousBinding() : await publicSession(),
    log: await rankLogger(communicator.rank, "silent"),
  });
  const progress = [];
  const report = await rank.load(programs[communicator.rank], { threads }, (event) => progress.push(event));
  const results = [];
  for (const [method, request] of calls) results.push(await rank[method](request));
  await rank.release();
  return { report, progress, results };
}

async function publicSession() {
  const { openPublicSession } = await import("../../dist/bundle/public-session.js");
  return openPublicSession;
}
