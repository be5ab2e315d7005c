// The bound is the time in which the ranks copy their arrays once, from local to local, all at the same time: in any
// algorithm, each array must be read once and written once, and nothing else must leave the caches. Compared calls take
// turns in one run, and each figure is the median of its turns on rank 0, followed by the middle half of them, which is
// wide if other programs use the cores.
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread } from "node:worker_threads";
import { createGroup, joinGroup, runRanks } from "@ringrank/collectives";

const help = `Measures time and bandwidth of a collective, from local array to local array, next to the time of copying the arrays
once. Defaults are shown, or in parentheses.

  node packages/collectives/bench/collectives.mjs [options]

  --collective allReduce  or allGather, reduceScatter, broadcast
  --ranks 2,4,8           numbers of ranks, one after another
  --bytes 1024,65536      sizes of each rank's array (1024,…,67108864)
  --algorithms auto       among auto, ring, one-shot, two-shot
  --kernels simd,plain
  --looks 50,20000        how often a rank looks before it sleeps (the group's default)
  --windows 65536,262144  bytes of shared memory that a message passes through (the group's default)
  --json FILE             where to write the figures (nowhere)
  --help                  print this text
`;

/** This rank's microseconds per call, by turn, of each contestant; the last one is the copy. */
export async function run(comm, { contestants, collective, bytes }) {
  const data = new Float32Array(bytes / 4);
  // Not at the same place of a page as the data: there, some processors copy ten times slower.
  const copied = new Float32Array(bytes / 4 + 512).subarray(512);
  const calls = [
    ...contestants.map(({ group, algorithm, kernels }) => {
      const member = joinGroup(group, comm.rank, { algorithm, kernels });
      return () => member[collective](data);
    }),
    () => copied.set(data),
  ];
  // Short turns: most of them pass without another program coming in between.
  const perTurn = Math.max(1, Math.min(10, Math.floor(2 ** 17 / bytes)));
  const turns = Math.max(7, Math.min(400, Math.floor(2 ** 29 / (bytes * comm.worldSize))));
  const warmUp = Math.min(turns, 100);
  const times = calls.map(() => []);
  for (let turn = -warmUp; turn < turns; turn++) {
    // The engine's compiler threads need a core while ranks do not spin.
    if (turn === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    for (const [index, call] of calls.entries()) {
      comm.barrier();
      const start = performance.now();
      for (let i = 0; i < perTurn; i++) call();
      if (turn >= 0) times[index].push(((performance.now() - start) * 1000) / perTurn);
    }
  }
  return times;
}

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      collective: { type: "string", default: "allReduce" },
      ranks: { type: "string", default: "2,4,8" },
      bytes: { type: "string", default: Array.from({ length: 9 }, (_, i) => 1024 * 4 ** i).join() },
      algorithms: { type: "string", default: "auto" },
      kernels: { type: "string", default: "simd,plain" },
      looks: { type: "string", default: "default" },
      windows: { type: "string", default: "default" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    process.exit();
  }
  const numbers = (text) => text.split(",").map(Number);
  /** All combinations of one value from each list. */
  const choices = ["kernels", "algorithms", "looks", "windows"].reduce(
    (some, name) =>
      some.flatMap((one) => values[name].split(",").map((value) => ({ ...one, [name]: value }))),
    [{}],
  );

  console.log(`${values.collective} of float32 on ${cpus()[0]?.model ?? "an unnamed processor"}`);
  console.log(
    `${availableParallelism()} cores, ${process.platform} ${process.arch}, Node ${process.version}`,
  );
  console.log("median µs (middle half) GB/s of the array\n");
  const titles = choices.map((choice) =>
    Object.values(choice)
      .filter((value) => value !== "default")
      .join(" "),
  );
  console.log(row("ranks", "bytes", [...titles, "copy"]));
  const measured = [];
  for (const worldSize of numbers(values.ranks)) {
    for (const bytes of numbers(values.bytes)) {
      const contestants = choices.map(({ kernels, algorithms: algorithm, looks, windows }) => {
        const group = createGroup({
          worldSize,
          ...(windows !== "default" && { windowBytes: Number(windows) }),
        });
        if (looks !== "default") group.looks = Number(looks);
        return { group, algorithm, kernels };
      });
      const data = { contestants, collective: values.collective, bytes };
      const [times] = await runRanks(worldSize, import.meta.url, data);
      for (const [index, microseconds] of times.entries()) {
        measured.push({ ranks: worldSize, bytes, title: titles[index] ?? "copy", microseconds });
      }
      console.log(
        row(
          worldSize,
          bytes,
          times.map((samples) => summary(samples, bytes)),
        ),
      );
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(measured));
  console.log(`\nload on the machine, over the last minute: ${loadavg()[0].toFixed(1)}`);
}

function summary(samples, bytes) {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor(part * (sorted.length - 1))];
  const figure = (time) => (time < 100 ? time.toFixed(1) : time.toFixed(0));
  return `${figure(at(0.5))} (${figure(at(0.25))}–${figure(at(0.75))}) ${(bytes / at(0.5) / 1000).toFixed(1)}`;
}

function row(ranks, bytes, cells) {
  return [String(ranks).padStart(5), String(bytes).padStart(9), ...cells.map((cell) => cell.padEnd(26))]
    .join("  ")
    .trimEnd();
}
