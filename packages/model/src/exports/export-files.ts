import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { RingrankError } from "@ringrank/errors";

/**
 * The types of an ONNX file's weights, and the corresponding endings of its name, as transformers.js and Optimum write
 * them.
 */
const suffixes = {
  fp32: "",
  fp16: "_fp16",
  q8: "_quantized",
  int8: "_int8",
  uint8: "_uint8",
  q4: "_q4",
  q4f16: "_q4f16",
  bnb4: "_bnb4",
} as const;

/** https://huggingface.co/docs/transformers.js/guides/dtypes */
export type ExportDtype = keyof typeof suffixes;

export const exportDtypes = Object.keys(suffixes) as readonly ExportDtype[];

/** The files of one model, absolute paths. */
export type ExportFiles =
  | { readonly kind: "whole"; readonly file: string }
  | { readonly kind: "merged"; readonly encoder: string; readonly decoder: string }
  | {
      readonly kind: "apart";
      readonly encoder: string;
      readonly withoutPast: string;
      readonly withPast: string;
    };

/**
 * The files that make up the model in a directory: those in `onnx/`, as in transformers.js, or else those next to
 * the config, as Optimum and onnxruntime-genai write them.
 *
 * ```
 *  model, decoder_model_merged, decoder_with_past_model       one file, the first of these that exists
 *  encoder_model + decoder_model_merged                       an encoder–decoder
 *  encoder_model + decoder_model + decoder_with_past_model    the same in three files
 * ```
 *
 * @param dtype default: `fp32` if it exists, else the only one
 * @throws RR_NOT_A_MODEL without an ONNX file; RR_MISSING_FILE if no file, or not every required one, has the requested
 * `dtype`; RR_OPTION if there are several and none is requested
 */
export function exportFiles(directory: string, dtype: ExportDtype | undefined): ExportFiles {
  const folder = [join(directory, "onnx"), directory].find((one) => onnxFiles(one).length > 0);
  if (folder === undefined) throw withoutFiles(directory, dtype);
  const byDtype = sortFiles(onnxFiles(folder));
  const found = [...byDtype.keys()].join(", ");
  const chosen = dtype ?? (byDtype.has("fp32") ? "fp32" : [...byDtype.keys()][0]!);
  const stems = byDtype.get(chosen);
  if (stems === undefined) {
    throw new RingrankError("RR_MISSING_FILE", `${folder} has no files of dtype ${chosen}; it has ${found}`);
  }
  if (dtype === undefined && chosen !== "fp32" && byDtype.size > 1) {
    throw new RingrankError("RR_OPTION", `${folder} has several models; set dtype to one of ${found}`);
  }
  return chooseFiles(folder, stems, suffixes[chosen]);
}

/** Whether a directory has ONNX files where {@link exportFiles} looks for them. */
export function hasExport(directory: string): boolean {
  return [join(directory, "onnx"), directory].some((one) => onnxFiles(one).length > 0);
}

function onnxFiles(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".onnx")) : [];
}

function withoutFiles(directory: string, dtype: ExportDtype | undefined): RingrankError {
  if (dtype === undefined) {
    return new RingrankError(
      "RR_NOT_A_MODEL",
      `${directory} has neither config.json with weights, nor an .onnx file in it or in its folder onnx`,
    );
  }
  return new RingrankError(
    "RR_MISSING_FILE",
    `dtype ${dtype}: expected model${suffixes[dtype]}.onnx in ${directory} or in its folder onnx, where there is no ` +
      ".onnx file; omit dtype to load a checkpoint (which precision quantizes), or pass a directory of ONNX files",
  );
}

/** Names without dtype and extension, by dtype. */
function sortFiles(files: readonly string[]): Map<ExportDtype, Set<string>> {
  const byDtype = new Map<ExportDtype, Set<string>>();
  for (const file of files) {
    const name = file.slice(0, -".onnx".length);
    const dtype = exportDtypes.find((one) => suffixes[one] !== "" && name.endsWith(suffixes[one])) ?? "fp32";
    const stem = suffixes[dtype] === "" ? name : name.slice(0, -suffixes[dtype].length);
    const stems = byDtype.get(dtype);
    if (stems === undefined) byDtype.set(dtype, new Set([stem]));
    else stems.add(stem);
  }
  return byDtype;
}

/** The name of a decoder that continues where `decoder_model` starts. */
export const continuing = "decoder_with_past_model";

/** Names of models in a single file, in the order in which they are looked for. */
const wholeStems = ["model", "decoder_model_merged", continuing];

function chooseFiles(folder: string, stems: ReadonlySet<string>, suffix: string): ExportFiles {
  const path = (stem: string): string => join(folder, `${stem}${suffix}.onnx`);
  const [only, another] = [...stems];
  if (stems.has("encoder_model") && another !== undefined) {
    const encoder = path("encoder_model");
    if (stems.has("decoder_model_merged")) {
      return { kind: "merged", encoder, decoder: path("decoder_model_merged") };
    }
    if (stems.has("decoder_model") && stems.has("decoder_with_past_model")) {
      const [withoutPast, withPast] = [path("decoder_model"), path("decoder_with_past_model")];
      return { kind: "apart", encoder, withoutPast, withPast };
    }
    throw new RingrankError(
      "RR_MISSING_FILE",
      `${folder} has encoder_model${suffix}.onnx, but of its decoder only ${[...stems].join(", ")}: expected ` +
        "decoder_model_merged, or decoder_model and decoder_with_past_model",
    );
  }
  const whole = wholeStems.find((stem) => stems.has(stem)) ?? (another === undefined ? only : undefined);
  if (whole !== undefined) return { kind: "whole", file: path(whole) };
  throw new RingrankError(
    "RR_OPTION",
    `${folder} has several models, ${[...stems].join(", ")}; pass the path of one of these files`,
  );
}
