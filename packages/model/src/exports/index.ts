export { type ExportDtype, exportDtypes, hasExport } from "./export-files.js";
export { type OpenedExport, openExport } from "./open-export.js";
export { rowsLookedUp } from "./rows-looked-up.js";
