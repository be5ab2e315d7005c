import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { type ExportDtype, exportFiles } from "./export-files.js";
import { openExport } from "./open-export.js";

/** Names of the files chosen in a directory with these files. */
function chosen(files: readonly string[], dtype?: ExportDtype): string[] {
  const directory = temporaryDirectory(Object.fromEntries(files.map((file) => [file, ""])));
  const { kind: _, ...paths } = exportFiles(directory, dtype);
  return Object.values(paths).map((path) => basename(path));
}

describe("the files of a model", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["those in onnx/ rather than others", ["onnx/model.onnx", "model.onnx", "other.onnx"], ["model.onnx"]],
    ["those next to the config", ["config.json", "model.onnx"], ["model.onnx"]],
    ["a single file of any name", ["encoder.onnx"], ["encoder.onnx"]],
    ["those in fp32, if any", ["onnx/model_q4.onnx", "onnx/model.onnx"], ["model.onnx"]],
    ["those in the only dtype", ["onnx/model_q4.onnx"], ["model_q4.onnx"]],
    [
      "a merged decoder rather than others",
      ["decoder_model.onnx", "decoder_with_past_model.onnx", "decoder_model_merged.onnx"],
      ["decoder_model_merged.onnx"],
    ],
    [
      "a decoder with past",
      ["decoder_model.onnx", "decoder_with_past_model.onnx"],
      ["decoder_with_past_model.onnx"],
    ],
    [
      "an encoder and a merged decoder",
      [
        "encoder_model.onnx",
        "decoder_model.onnx",
        "decoder_with_past_model.onnx",
        "decoder_model_merged.onnx",
      ],
      ["encoder_model.onnx", "decoder_model_merged.onnx"],
    ],
    [
      "an encoder and both decoders",
      ["encoder_model.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx"],
      ["encoder_model.onnx", "decoder_model.onnx", "decoder_with_past_model.onnx"],
    ],
  ])("are %s", (_, files, expected) => {
    expect(chosen(files)).toEqual(expected);
  });

  it.each<[ExportDtype, string]>([
    ["fp32", "model.onnx"],
    ["fp16", "model_fp16.onnx"],
    ["q8", "model_quantized.onnx"],
    ["int8", "model_int8.onnx"],
    ["uint8", "model_uint8.onnx"],
    ["q4", "model_q4.onnx"],
    ["q4f16", "model_q4f16.onnx"],
    ["bnb4", "model_bnb4.onnx"],
  ])("are, for dtype %s, %s", (dtype, file) => {
    const suffixes = ["", "_fp16", "_quantized", "_int8", "_uint8", "_q4", "_q4f16", "_bnb4"];
    expect(
      chosen(
        suffixes.map((suffix) => `onnx/model${suffix}.onnx`),
        dtype,
      ),
    ).toEqual([file]);
  });

  it.each<[string, "RR_NOT_A_MODEL" | "RR_OPTION" | "RR_MISSING_FILE", readonly string[], ExportDtype?]>([
    ["there are none", "RR_NOT_A_MODEL", ["config.json"]],
    ["the requested dtype is missing", "RR_MISSING_FILE", ["onnx/model.onnx"], "q4"],
    ["there are several dtypes but not fp32", "RR_OPTION", ["onnx/model_q4.onnx", "onnx/model_fp16.onnx"]],
    ["their names are unknown", "RR_OPTION", ["one.onnx", "two.onnx"]],
    [
      "an encoder lacks its decoder with past",
      "RR_MISSING_FILE",
      ["encoder_model.onnx", "decoder_model.onnx"],
    ],
  ])("are refused if %s, with %s", (_, code, files, dtype) => {
    expectCode(code, () => chosen(files, dtype));
  });

  it("are named in the error if a dtype is requested but there is only a checkpoint", () => {
    const { message } = expectCode("RR_MISSING_FILE", () =>
      chosen(["config.json", "model.safetensors"], "q4"),
    );
    expect(message).toMatch(/expected model_q4\.onnx in .*; omit dtype to load a checkpoint/);
  });
});

it("refuses a path that does not exist", () => {
  expectCode("RR_MISSING_FILE", () => openExport(join(temporaryDirectory({}), "model.onnx")));
});
