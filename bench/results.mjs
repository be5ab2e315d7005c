import { renameSync, writeFileSync } from "node:fs";
import { summary } from "./measure/statistics.mjs";

/**
 * All measurements, as a flat list. The file is rewritten for each figure, so that later failures do not lose it.
 * `schema` names its format: see README.md.
 */
export class Results {
  #path;
  #content;

  constructor(path, { machine, options }) {
    this.#path = path;
    this.#content = { schema: "ringrank-bench-1", machine, options, measurements: [], targets: [] };
    this.#write();
  }

  get measurements() {
    return this.#content.measurements;
  }

  get machine() {
    return this.#content.machine;
  }

  /**
   * @param what `row`, such as "decode", and the properties that distinguish it: shape, precision, contestant, …
   * @param unit of the samples: "ms", "GB/s", "bytes", …
   */
  add(what, unit, samples) {
    this.#content.measurements.push({ ...what, unit, ...summary(samples), turns: samples });
    this.#write();
  }

  /** Something that could not be measured, and why. */
  fail(what, error) {
    const reason = String(error?.message ?? error).slice(0, 400);
    this.#content.measurements.push({ ...what, failed: reason });
    this.#write();
  }

  /** Something that was skipped on purpose. */
  skip(what, reason) {
    this.#content.measurements.push({ ...what, skipped: reason });
    this.#write();
  }

  finish(targets, seconds) {
    this.#content.targets = targets;
    this.#content.seconds = Math.round(seconds);
    this.#write();
  }

  #write() {
    if (this.#path === undefined) return;
    const unfinished = `${this.#path}.${process.pid}`;
    writeFileSync(unfinished, `${JSON.stringify(this.#content, undefined, 1)}\n`);
    renameSync(unfinished, this.#path);
  }
}
