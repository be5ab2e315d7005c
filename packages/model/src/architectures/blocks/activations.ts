import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

/**
 * An activation, by its name in configs.
 *
 * @throws RR_CONFIG for an unknown one
 */
export function activate({ g, config }: ModelContext, name: string, x: Value): Value {
  switch (name) {
    case "silu":
    case "swish":
      return g.quickGelu(x, 1);
    case "gelu":
    case "gelu_python":
      return g.gelu(x, "none");
    case "gelu_new":
    case "gelu_fast":
    case "gelu_pytorch_tanh":
      return g.gelu(x, "tanh");
    case "quick_gelu":
      return g.quickGelu(x, 1.702);
    case "tanh":
      return g.tanh(x);
    case "relu":
      return g.relu(x);
    case "relu2": {
      const positive = g.relu(x);
      return g.mul(positive, positive);
    }
    default:
      throw config.error(
        `unknown activation "${name}"; known are silu, swish, gelu, gelu_python, gelu_new, gelu_fast, ` +
          "gelu_pytorch_tanh, quick_gelu, tanh, relu, relu2",
      );
  }
}
