import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

/**
 * An activation, by its name in configs.
 *
 * @throws RR_CONFIG for an unknown one
 */
export function activate({ g, config }: Pick<ModelContext, "g" | "config">, name: string, x: Value): Value {
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
    case "gelu_python_tanh":
    case "gelu_accurate":
      return g.gelu(x, "tanh");
    case "gelu_10":
      return g.clip(g.gelu(x, "none"), g.numbers([-10]), g.numbers([10]));
    case "quick_gelu":
      return g.quickGelu(x, 1.702);
    case "tanh":
      return g.tanh(x);
    case "sigmoid":
      return g.sigmoid(x);
    case "mish":
      return g.mul(x, g.tanh(g.softplus(x)));
    case "relu":
      return g.relu(x);
    case "relu6":
      return g.clip(x, g.numbers([0]), g.numbers([6]));
    case "leaky_relu":
      return g.max(x, g.mul(x, g.numbers([0.01])));
    case "relu2": {
      const positive = g.relu(x);
      return g.mul(positive, positive);
    }
    default:
      throw config.error(
        `unknown activation "${name}"; known are silu, swish, gelu, gelu_python, gelu_new, gelu_fast, ` +
          "gelu_pytorch_tanh, gelu_python_tanh, gelu_accurate, gelu_10, quick_gelu, tanh, sigmoid, mish, relu, " +
          "relu6, relu2, leaky_relu",
      );
  }
}
