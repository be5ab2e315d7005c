import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { threadsLeft } from "./threads-left.js";

/** What /proc/PID/status says of a process. */
const status = (user: number, threads: number, capabilities = "0000000000000000") =>
  `Name:\tnode\nUid:\t${user}\t0\t0\t0\nThreads:\t${threads}\nCapEff:\t${capabilities}\n`;

const limits = (most: number | string) =>
  `Limit                     Soft Limit           Hard Limit           Units     \nMax processes             ${most}                   200000               processes \n`;

/** A user who may have 100 threads and has 12. */
const user = {
  "proc/self/limits": limits(100),
  "proc/self/status": status(1000, 11),
  "proc/7/status": status(1000, 11),
  "proc/8/status": status(1000, 1),
  "proc/9/status": status(0, 50),
  "proc/meminfo": "",
};

it.each<[string, Record<string, string>, number]>([
  ["nothing is known of a system without such files", {}, Number.POSITIVE_INFINITY],
  ["a user's threads count, in all processes", user, 88],
  [
    "a user may have no limit",
    { ...user, "proc/self/limits": limits("unlimited") },
    Number.POSITIVE_INFINITY,
  ],
  [
    "CAP_SYS_ADMIN lifts a user's limit",
    { ...user, "proc/self/status": status(1000, 11, "0000000000200000") },
    Number.POSITIVE_INFINITY,
  ],
  [
    "CAP_SYS_RESOURCE lifts a user's limit",
    { ...user, "proc/self/status": status(1000, 11, "0000000001000000") },
    Number.POSITIVE_INFINITY,
  ],
  ["other capabilities do not", { ...user, "proc/self/status": status(1000, 11, "000000000000ffff") }, 88],
  [
    "the limit of a control group counts",
    {
      "proc/self/cgroup": "0::/app.slice/app.service\n",
      "sys/fs/cgroup/app.slice/app.service/pids.max": "64\n",
      "sys/fs/cgroup/app.slice/app.service/pids.current": "14\n",
    },
    50,
  ],
  [
    "so does that of a group around it",
    {
      "proc/self/cgroup": "0::/app.slice/app.service\n",
      "sys/fs/cgroup/app.slice/app.service/pids.max": "max\n",
      "sys/fs/cgroup/app.slice/app.service/pids.current": "14\n",
      "sys/fs/cgroup/app.slice/pids.max": "40\n",
      "sys/fs/cgroup/app.slice/pids.current": "20\n",
    },
    20,
  ],
  [
    "a container finds its own group at the top, whatever its path",
    {
      "proc/self/cgroup": "0::/kubepods/pod1\n",
      "sys/fs/cgroup/pids.max": "1024\n",
      "sys/fs/cgroup/pids.current": "1000\n",
    },
    24,
  ],
  [
    "control groups of the first version have a hierarchy for each kind",
    {
      "proc/self/cgroup": "9:name=systemd:/\n8:cpu,pids:/docker/1\n3:memory:/docker/2\n",
      "sys/fs/cgroup/pids/docker/1/pids.max": "70\n",
      "sys/fs/cgroup/pids/docker/1/pids.current": "60\n",
      "sys/fs/cgroup/pids.max": "1\n",
      "sys/fs/cgroup/pids.current": "1\n",
    },
    10,
  ],
  [
    "the least of all limits counts",
    {
      ...user,
      "proc/self/cgroup": "0::/\n",
      "sys/fs/cgroup/pids.max": "64\n",
      "sys/fs/cgroup/pids.current": "60\n",
    },
    4,
  ],
])("%s", (_, files, left) => {
  expect(threadsLeft(join(temporaryDirectory(files), "/"))).toBe(left);
});
