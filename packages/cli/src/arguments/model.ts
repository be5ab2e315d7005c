import { RingrankError } from "@ringrank/coordinator";
import { demoModel } from "../index.js";

/**
 * The model selected by MODEL or `--demo`. Exactly one of the two must be given.
 *
 * @throws RR_OPTION
 */
export function modelFrom(directory: string | undefined, isDemo: boolean | undefined): string {
  if (isDemo === true && directory === undefined) return demoModel;
  if (isDemo !== true && directory !== undefined) return directory;
  throw new RingrankError(
    "RR_OPTION",
    directory === undefined
      ? "expected a model's directory or .onnx file, an id in the local HuggingFace cache, or --demo"
      : `expected either a model or --demo, got both: ${directory} and --demo`,
  );
}
