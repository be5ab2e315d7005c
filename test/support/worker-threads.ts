interface Report {
  readonly workers: readonly unknown[];
}

// A report also names hosts, which may take long to find out. The types of Node 20 lack this option.
Object.assign(process.report, { excludeNetwork: true });

/** The number of this process's worker threads, according to Node. */
export function workerThreads(): number {
  const report: unknown = process.report.getReport();
  return (report as Report).workers.length;
}
