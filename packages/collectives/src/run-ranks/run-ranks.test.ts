import { getEventListeners } from "node:events";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runRanks } from "@ringrank/collectives";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { runNode } from "../../../../test/support/run-program.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { workerThreads } from "../../../../test/support/worker-threads.js";
import { inlineTask, moduleUrl } from "../testing/inline-task.js";

afterEach(() => expect(workerThreads()).toBe(0));

const flag = () => new Int32Array(new SharedArrayBuffer(4));

describe("runRanks", () => {
  it("resolves with the result of each rank, by rank", async () => {
    const task = inlineTask((comm, { base }: { base: number }) => [
      comm.rank,
      comm.worldSize,
      base + comm.rank,
    ]);
    expect(await runRanks(3, task, { base: 10 })).toEqual([
      [0, 3, 10],
      [1, 3, 11],
      [2, 3, 12],
    ]);
  });

  it("passes a group to the ranks, and awaits async tasks", async () => {
    const task = inlineTask(async (comm) => {
      await new Promise((resolve) => setTimeout(resolve, comm.rank));
      return comm.allReduce(Float32Array.of(comm.rank, 1));
    });
    expect(await runRanks(4, task, undefined)).toEqual(new Array(4).fill(Float32Array.of(6, 4)));
  });

  it("counts collectives and the bytes of their operands", async () => {
    const task = inlineTask((comm) => {
      comm.allReduce(new Float32Array(10));
      comm.allGather(new Int32Array(3));
      comm.barrier();
      return comm.counters;
    });
    expect(await runRanks(2, task, undefined)).toEqual(
      new Array(2).fill({ collectives: 3, bytes: 52, waitedMs: 0 }),
    );
  });

  it("needs no data, and takes options that are undefined as omitted", async () => {
    const task = inlineTask((comm) => [
      ...comm.allGather(Float32Array.of(comm.rank), { counts: undefined, out: undefined }),
      ...comm.reduceScatter(Float32Array.of(3, 4), { operation: undefined, counts: undefined }),
    ]);
    expect(await runRanks(2, task)).toEqual([
      [0, 1, 6],
      [0, 1, 8],
    ]);
  });

  it("rounds sums between ranks as `wire` says", async () => {
    // Next to 127, int8 rounds a value of less than half a step to 0.
    const task = inlineTask((comm) => [...comm.allReduce(Float32Array.of(127, 0.4))]);
    expect(await runRanks(2, task, undefined, { wire: "int8" })).toEqual([
      [254, 0],
      [254, 0],
    ]);
  });

  it("adds one listener to a signal that several runs share, and leaves none", async () => {
    const { signal } = new AbortController();
    const task = inlineTask(() => {});
    const runs = [1, 2].map((worldSize) => runRanks(worldSize, task, undefined, { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await Promise.all(runs);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("leaves nothing that keeps the process alive until the timeout", async () => {
    const task = JSON.stringify(inlineTask(() => {}));
    const program = `import { runRanks } from "@ringrank/collectives";
      await runRanks(1, ${task}, undefined, { timeoutMs: 2 ** 31 - 1 });`;
    const cwd = fileURLToPath(new URL("../..", import.meta.url));
    const { exitCode, stderr } = await runNode(["--input-type=module", "--eval", program], { cwd });
    expect([exitCode, stderr]).toEqual([0, ""]);
  });

  it("ends threads whose task has left something open", async () => {
    const task = inlineTask(() => {
      setInterval(() => {}, 1000);
    });
    expect(await runRanks(2, task, undefined)).toEqual([undefined, undefined]);
  });
});

describe("runRanks rejects with the root cause", () => {
  it("if one rank throws while the others wait", async () => {
    const task = inlineTask((comm) => {
      if (comm.rank === 1) throw new TypeError("boom");
      comm.barrier();
    });
    await expect(runRanks(3, task, undefined)).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      rank: 1,
      message: "rank 1 threw TypeError: boom",
      cause: { message: "boom" },
    });
  });

  it.each([
    ["an object without a prototype", () => Object.create(null), "rank 1 threw [Object: null prototype] {}"],
    ["a plain object", () => ({ status: 500 }), "rank 1 threw { status: 500 }"],
    [
      "an error with such a cause",
      () => new Error("boom", { cause: Object.create(null) }),
      "rank 1 threw Error: boom",
    ],
    ["an error without a message", () => new TypeError(), "rank 1 threw TypeError"],
    [
      "an error whose message and name are no texts",
      () => Object.assign(new Error(), { message: Object.create(null), name: Symbol("name") }),
      "rank 1 threw [Object: null prototype] {}",
    ],
  ])("if a rank throws %s", async (_, thrown, message) => {
    const run = `export const run = (comm) => { if (comm.rank === 1) throw (${thrown})(); comm.barrier(); };`;
    await expect(runRanks(2, moduleUrl(run))).rejects.toMatchObject({ code: "RR_RANK_FAILED", message });
  });

  it("if a rank returns what cannot be cloned", async () => {
    const run = "export const run = (comm) => (comm.rank === 1 ? () => 1 : 1);";
    await expect(runRanks(2, moduleUrl(run))).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      rank: 1,
      message: expect.stringMatching(/^rank 1 returned what cannot be cloned .*; return plain data$/),
    });
  });

  it("and keeps the code of an error that has one", async () => {
    const task = inlineTask((comm) => comm.broadcast(new Float32Array(1), comm.rank === 2 ? -1 : 0));
    await expect(runRanks(3, task, undefined)).rejects.toMatchObject({ code: "RR_OPTION", rank: 2 });
  });

  it("if a rank returns while the others still call collectives", async () => {
    const task = inlineTask((comm) => (comm.rank === 1 ? undefined : comm.barrier()));
    await expect(runRanks(3, task, undefined)).rejects.toMatchObject({
      code: "RR_MISMATCH",
      message: expect.stringContaining("ranks 0, 2 called barrier(); rank 1 called nothing more"),
    });
  });

  it("if a rank calls process.exit", async () => {
    const task = inlineTask((comm) => (comm.rank === 1 ? process.exit(3) : comm.barrier()));
    await expect(runRanks(3, task, undefined)).rejects.toMatchObject({
      code: "RR_RANK_DIED",
      rank: 1,
      message: expect.stringContaining("exit code 3"),
    });
  });

  it("if a rank awaits something that never settles, so that its thread has nothing left to do", async () => {
    const task = inlineTask((comm) => (comm.rank === 1 ? new Promise(() => {}) : comm.barrier()));
    await expect(runRanks(2, task, undefined)).rejects.toMatchObject({
      code: "RR_RANK_DIED",
      rank: 1,
      message: expect.stringContaining("or await something that never settles"),
    });
  });

  it("if an error of a rank is not caught", async () => {
    const task = inlineTask((comm) => {
      if (comm.rank !== 1) return comm.barrier();
      setImmediate(() => {
        throw new Error("uncaught");
      });
      return new Promise(() => {});
    });
    await expect(runRanks(2, task, undefined)).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      rank: 1,
      cause: { message: "uncaught" },
    });
  });

  it("if a rank fails after it has returned, through something it left open, while others are working", async () => {
    const task = inlineTask((comm) => {
      setInterval(() => {
        if (comm.rank === 1) throw new Error("left open");
      });
      return comm.rank === 1 ? undefined : new Promise(() => {});
    });
    await expect(runRanks(2, task, undefined)).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      rank: 1,
      cause: { message: "left open" },
    });
  });

  it("if a rank throws undefined", async () => {
    const task = inlineTask((comm) => {
      if (comm.rank !== 1) return comm.barrier();
      setImmediate(() => {
        throw undefined;
      });
      return new Promise(() => {});
    });
    await expect(runRanks(2, task, undefined)).rejects.toMatchObject({ code: "RR_RANK_FAILED", rank: 1 });
  });

  it("if a result cannot cross threads", async () => {
    const task = inlineTask((comm) => (comm.rank === 1 ? () => {} : comm.barrier()));
    await expect(runRanks(2, task, undefined)).rejects.toMatchObject({ code: "RR_RANK_FAILED", rank: 1 });
  });
});

describe("runRanks ends what does not end by itself:", () => {
  it("a rank in an endless loop, with RR_TIMEOUT and its rank", async () => {
    const task = inlineTask((comm) => {
      while (comm.rank === 1);
    });
    await expect(runRanks(2, task, undefined, { timeoutMs: 1000 })).rejects.toMatchObject({
      code: "RR_TIMEOUT",
      message: expect.stringContaining("timeoutMs = 1000"),
    });
  });

  it("but no ranks of a process that was stopped for longer than the timeout, as a late timer shows", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval", "Date"] });
    onTestFinished(() => void vi.useRealTimers());
    const go = flag();
    const task = inlineTask((_, go: Int32Array) => Atomics.wait(go, 0, 0));
    const done = runRanks(2, task, go);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersToNextTimer();
    Atomics.store(go, 0, 1);
    Atomics.notify(go, 0);
    await expect(done).resolves.toHaveLength(2);
  });

  it("on abort, with the signal's reason", async () => {
    const started = flag();
    const task = inlineTask((comm, started: Int32Array) => {
      Atomics.add(started, 0, 1);
      if (comm.rank === 1) for (;;) Atomics.wait(started, 0, 2, 1000);
      comm.barrier();
    });
    const controller = new AbortController();
    const done = runRanks(2, task, started, { signal: controller.signal });
    const settled = expect(done).rejects.toBe("enough");
    await vi.waitFor(() => expect(Atomics.load(started, 0)).toBe(2), { timeout: 10_000 });
    controller.abort("enough");
    await settled;
  });

  it("before it starts if the signal is already aborted", async () => {
    const started = flag();
    const task = inlineTask((_, started: Int32Array) => Atomics.add(started, 0, 1));
    const signal = AbortSignal.abort("no");
    await expect(runRanks(2, task, started, { signal })).rejects.toBe("no");
    expect(started[0]).toBe(0);
  });
});

describe("runRanks refuses", () => {
  const task = inlineTask(() => 0);

  it.each([0, -1, 1.5, 65, 1000, Number.NaN])("%d ranks", async (worldSize) => {
    await expect(runRanks(worldSize, task, undefined)).rejects.toMatchObject({ code: "RR_RANKS" });
  });

  it.each([0, -5, Number.NaN, 2 ** 31 - 0.5])("a timeoutMs of %d", async (timeoutMs) => {
    await expect(runRanks(2, task, undefined, { timeoutMs })).rejects.toMatchObject({ code: "RR_OPTION" });
  });

  it.each<[string, object]>([
    ["a signal of another type", { signal: "stop" }],
    ["an unknown wire", { wire: "float8" }],
    ["execArgv that is a text", { execArgv: "--import" }],
    ["execArgv with anything but strings", { execArgv: [1] }],
  ])("%s", async (_, options) => {
    await expect(runRanks(2, task, undefined, options)).rejects.toMatchObject({ code: "RR_OPTION" });
  });

  it("an unknown option, naming the known ones", async () => {
    await expect(runRanks(2, task, undefined, { timeout: 1000 } as object)).rejects.toThrow(
      "no options but timeoutMs, signal, execArgv, algorithm, stepTimeoutMs, windowBytes, wire; got timeout",
    );
  });

  it("data that cannot cross threads", async () => {
    await expect(runRanks(2, task, () => {})).rejects.toMatchObject({ code: "RR_OPTION" });
  });

  it("a module that does not parse, saying what shows where", async () => {
    const directory = temporaryDirectory({
      "task.mjs": 'import "./imported.mjs";\nexport const run = () => 7;\n',
      "imported.mjs": "const answer = 42;\nconst more = ( => 7;\n",
    });
    const url = pathToFileURL(join(directory, "task.mjs"));
    const refused = await runRanks(2, url).catch((error) => error);
    expect(refused).toMatchObject({
      code: "RR_TASK_URL",
      message: expect.stringMatching(/Unexpected token '=>'.*shows where: node \S*task\.mjs$/),
    });
    const shown = await runNode([refused.message.split("node ").at(-1)]);
    expect(shown.stderr).toMatch(/imported\.mjs:2\n/);
  });

  it.each([
    ["a path that is not a URL", "./task.mjs"],
    ["an object that is not a URL", Object.create(null)],
    ["a URL that is neither file: nor data:", "https://example.org/task.mjs"],
    ["a module that does not exist", new URL("./missing.task.mjs", import.meta.url)],
    ["a module that does not parse", moduleUrl("export function run( {")],
    ["a module without a function", moduleUrl("export const answer = 42")],
    [
      "a module with several functions, none of them named run",
      moduleUrl("export const a = () => 1, b = () => 2"),
    ],
  ])("%s", async (_, url) => {
    await expect(runRanks(2, url, undefined, { execArgv: [] })).rejects.toMatchObject({
      code: "RR_TASK_URL",
    });
  });
});

describe("the function of a task's module is", () => {
  it.each([
    ["named run, among others", "export const other = () => 1; export const run = () => 7"],
    ["exported as default", "export const other = () => 1; export default () => 7"],
    ["the only exported one", "export const six = 6; export const seven = () => 7"],
  ])("the one that is %s", async (_, source) => {
    expect(await runRanks(1, moduleUrl(source), undefined)).toEqual([7]);
  });

  // Node 22.18 and later load TypeScript themselves.
  it.skipIf("typescript" in process.features && process.features.typescript)(
    "refused if it is TypeScript and there is no loader, which the error mentions",
    async () => {
      const task = new URL("../testing/typed.task.ts", import.meta.url);
      await expect(runRanks(2, task, 0, { execArgv: [] })).rejects.toMatchObject({
        code: "RR_TASK_URL",
        message: expect.stringContaining('a loader as in execArgv: ["--import", "tsx"]'),
      });
    },
  );

  it("loaded from TypeScript if execArgv has a loader", async () => {
    // A loader hook that strips the only annotation.
    const hooks = moduleUrl(`
      import { readFile } from "node:fs/promises";
      export async function load(url, context, next) {
        if (!url.endsWith("typed.task.ts")) return next(url, context);
        const source = (await readFile(new URL(url), "utf8")).replace(": number", "");
        return { format: "module", shortCircuit: true, source };
      }`);
    const register = `import { register } from "node:module"; register(${JSON.stringify(hooks)});`;
    const task = new URL("../testing/typed.task.ts", import.meta.url);
    expect(await runRanks(2, task, 0, { execArgv: ["--import", moduleUrl(register)] })).toEqual([7, 7]);
  });
});
