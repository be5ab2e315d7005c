export { kernelFlags, runsRelaxedSimd, runsWideVectors, setKernelFlags } from "./engine-flags.js";
export { adviseHugePages, requireHugePages } from "./huge-pages.js";
export { instantiate } from "./instantiate.js";
export { type LocalMemory, localMemory, pageBytes, type SharedMemory, sharedMemory } from "./memory.js";
