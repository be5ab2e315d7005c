import { RingrankError } from "@ringrank/errors";
import type { AttributeProto, FunctionProto, NodeProto } from "./onnx_pb.js";
import type { Scope } from "./scope.js";

/** Limit of nested calls; a function that calls itself never ends. */
const maxDepth = 64;

/**
 * The operators that a model defines itself (https://onnx.ai/onnx/intro/concepts.html#functions). A call is replaced by
 * the function's nodes: formal values become the call's, all others get new names, and attributes that the body refers
 * to get the call's values.
 */
export class Functions {
  readonly #functions = new Map<string, FunctionProto>();
  #calls = 0;

  /** @param opset the opset of the model's default domain, which its functions must share */
  constructor(functions: readonly FunctionProto[], opset: bigint | undefined) {
    for (const one of functions) {
      const own = one.opsetImport.find(({ domain }) => isDefault(domain))?.version;
      if (own !== undefined && opset !== undefined && own !== opset) {
        throw new RingrankError(
          "RR_FILE_FORMAT",
          `the function ${one.name} uses opset ${own}, but the model uses ${opset}; inline functions when exporting`,
        );
      }
      this.#functions.set(keyOf(one.domain, one.name, one.overload), one);
    }
  }

  /** The body that a node calls; undefined for an operator of ONNX. */
  find({ domain, opType, overload }: NodeProto): FunctionProto | undefined {
    return this.#functions.get(keyOf(domain, opType, overload));
  }

  /**
   * The scope of the body's nodes.
   *
   * @throws RR_FILE_FORMAT for a function that calls itself, even indirectly
   */
  scopeOf(body: FunctionProto, call: NodeProto, caller: Scope): Scope {
    if (caller.depth >= maxDepth) {
      throw new RingrankError(
        "RR_FILE_FORMAT",
        `the function ${body.name} calls itself, or ${maxDepth} others`,
      );
    }
    const names = new Map<string, string>();
    body.output.forEach((name, index) => {
      const given = call.output[index] ?? "";
      if (given !== "") names.set(name, caller.nameOf(given));
    });
    body.input.forEach((name, index) => {
      const given = call.input[index] ?? "";
      names.set(name, given === "" ? "" : caller.nameOf(given));
    });
    const prefix = `${body.name}·${this.#calls++}·`;
    return {
      nameOf: (name) => (name === "" ? "" : (names.get(name) ?? prefix + name)),
      attributes: attributesOf(body, call, caller),
      depth: caller.depth + 1,
    };
  }
}

function attributesOf(body: FunctionProto, call: NodeProto, caller: Scope): Map<string, AttributeProto> {
  const defaults = body.attributeProto.map((one) => [one.name, one] as const);
  const given = resolveAttributes(call, caller).map((one) => [one.name, one] as const);
  return new Map([...defaults, ...given]);
}

/** A node's attributes, without those that refer to attributes missing in the call. */
export function resolveAttributes({ attribute }: NodeProto, { attributes }: Scope): AttributeProto[] {
  return attribute.flatMap((one) => {
    if (one.refAttrName === "") return [one];
    const given = attributes.get(one.refAttrName);
    return given === undefined ? [] : [{ ...given, name: one.name }];
  });
}

function isDefault(domain: string): boolean {
  return domain === "" || domain === "ai.onnx";
}

function keyOf(domain: string, name: string, overload: string): string {
  return JSON.stringify([isDefault(domain) ? "" : domain, name, overload]);
}
