interface Report {
  readonly workers: readonly unknown[];
}

/** The number of this process's worker threads, according to Node. */
export function workerThreads(): number {
  const report: unknown = process.report.getReport();
  return (report as Report).workers.length;
}
