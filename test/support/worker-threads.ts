interface Report {
  readonly workers: readonly unknown[];
}

/** How many worker threads this process has, by Node's own account. */
export function workerThreads(): number {
  const report: unknown = process.report.getReport();
  return (report as Report).workers.length;
}
