import { on, once } from "node:events";
import { BroadcastChannel } from "node:worker_threads";
import { expect, it, onTestFinished, vi } from "vitest";
import { workerThreads } from "../../../../test/support/worker-threads.js";
import { Offload } from "./offload.js";

/** A thread's module that reports when it is being imported, and finishes when it gets a message. */
const importing = `
  import { BroadcastChannel, parentPort } from "node:worker_threads";
  const channel = new BroadcastChannel("importing");
  const heard = new Promise((resolve) => { channel.onmessage = resolve; });
  channel.postMessage("importing");
  await heard;
  parentPort.postMessage("imported");
`;

it("does not end a thread that is importing, which would leave a file open", async () => {
  const channel = new BroadcastChannel("importing");
  const begun = new Promise((resolve) => {
    channel.onmessage = resolve;
  });
  const offload = new Offload("test", () => new URL(`data:text/javascript,${encodeURIComponent(importing)}`));
  await begun;
  const closed = offload.close();
  expect(workerThreads()).toBe(1);
  channel.postMessage("go on");
  await closed;
  channel.close();
  expect(workerThreads()).toBe(0);
});

/** A thread's module that starts a process, and that is busy until it gets a message. */
const reaping = `
  import { BroadcastChannel, parentPort } from "node:worker_threads";
  const channel = new BroadcastChannel("reaping");
  channel.onmessage = () => channel.close();
  parentPort.postMessage("imported");
  parentPort.postMessage("starts a process");
`;

it("waits longer for a thread that has a process to end, even if it is busy", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const url = new URL(`data:text/javascript,${encodeURIComponent(reaping)}`);
  const offload = new Offload("test", () => url, { endsItself: true });
  const [worker] = await once(process, "worker");
  // The listener of the offload comes first.
  for await (const [report] of on(worker, "message")) if (report === "starts a process") break;
  const exited = once(worker, "exit");
  const closed = offload.close();
  await vi.advanceTimersByTimeAsync(6000);
  const channel = new BroadcastChannel("reaping");
  channel.postMessage("the process has ended");
  channel.close();
  await closed;
  // By itself: a thread that is terminated has another exit code.
  expect(await exited).toEqual([0]);
});

it("rejects what waits for a thread that ends by itself, and says what to do", async () => {
  const ending = `
    import { parentPort, workerData } from "node:worker_threads";
    parentPort.postMessage("imported");
    workerData.on("message", () => process.exit(3));
  `;
  const url = new URL(`data:text/javascript,${encodeURIComponent(ending)}`);
  const offload = new Offload<{ ask(): void }>("test", () => url);
  await expect(offload.call((remote) => remote.ask())).rejects.toMatchObject({
    code: "RR_CLOSED",
    message: "the test thread ended: exited with code 3. Load the model again",
  });
});

it("does not wait for the modules of a thread that has ended without them", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const url = new URL(`data:text/javascript,${encodeURIComponent('throw new Error("broken")')}`);
  const offload = new Offload<{ ask(): void }>("test", () => url);
  await expect(offload.call((remote) => remote.ask())).rejects.toThrow("broken");
  // A timer would never strike.
  await offload.close();
});

it.each([
  ["null", "null"],
  ["{ status: 500 }", "{ status: 500 }"],
])("rejects what waits for a thread that throws %s", async (thrown, text) => {
  const url = new URL(`data:text/javascript,${encodeURIComponent(`throw ${thrown}`)}`);
  const offload = new Offload<{ ask(): void }>("test", () => url);
  await expect(offload.call((remote) => remote.ask())).rejects.toMatchObject({
    code: "RR_CLOSED",
    message: expect.stringContaining(`the test thread ended: ${text}`),
  });
});

it("says what to do if a bundler has left no address of the module", () => {
  const url = () => {
    throw Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL" });
  };
  expect(() => new Offload("text", url)).toThrow(
    expect.objectContaining({
      code: "RR_CLOSED",
      message:
        "the text thread cannot be started: Invalid URL. A bundler has to keep @ringrank/coordinator external",
    }),
  );
});

it("says what to do about a module that a bundler has left behind", async () => {
  const offload = new Offload<{ ask(): void }>("text", () => new URL("file:///app/text-worker.js"));
  await expect(offload.call((remote) => remote.ask())).rejects.toMatchObject({
    code: "RR_CLOSED",
    message: expect.stringMatching(/app[/\\]text-worker\.js.* keep @ringrank\/coordinator external/),
  });
});

it("says what to do if the process has too many files open for a thread to read its modules", async () => {
  const refused = `throw new Error("EMFILE: too many open files")`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(refused)}`);
  const offload = new Offload<{ ask(): void }>("text", () => url);
  await expect(offload.call((remote) => remote.ask())).rejects.toMatchObject({
    code: "RR_CLOSED",
    message: expect.stringMatching(
      /^the text thread ended: EMFILE: too many open files. Raise how many files .* \(ulimit -n\), or close some$/,
    ),
  });
});

it("says what to do if the process is in a directory that has been removed, where Node starts no thread", async () => {
  const missing = `throw Object.assign(new Error("uv_cwd"), { code: "ENOENT", syscall: "uv_cwd" })`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(missing)}`);
  const offload = new Offload<{ ask(): void }>("text", () => url);
  await expect(offload.call((remote) => remote.ask())).rejects.toMatchObject({
    code: "RR_CLOSED",
    message: "the text thread ended: uv_cwd. Start the process in a directory that exists, or change to one",
  });
});
