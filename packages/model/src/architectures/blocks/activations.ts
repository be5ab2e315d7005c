import type { GraphBuilder, Value } from "../../graph/index.js";
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
    case "laplace":
      return laplace(g, x);
    case "quick_gelu":
      return g.quickGelu(x, 1.702);
    case "tanh":
      return g.tanh(x);
    case "sigmoid":
      return g.sigmoid(x);
    case "sqrtsoftplus":
      return g.sqrt(g.softplus(x));
    case "mish":
      return g.mul(x, g.tanh(g.softplus(x)));
    case "relu":
      return g.relu(x);
    case "relu6":
      return relu6(g, x);
    case "hardswish":
      return g.mul(x, g.mul(relu6(g, g.add(x, g.numbers([3]))), g.numbers([1 / 6])));
    case "leaky_relu":
      return g.max(x, g.mul(x, g.numbers([0.01])));
    case "relu2": {
      const positive = g.relu(x);
      return g.mul(positive, positive);
    }
    case "linear":
      return x;
    default:
      throw config.error(
        `unknown activation "${name}"; known are silu, swish, gelu, gelu_python, gelu_new, gelu_fast, ` +
          "gelu_pytorch_tanh, gelu_python_tanh, gelu_accurate, gelu_10, quick_gelu, laplace, tanh, sigmoid, mish, " +
          "sqrtsoftplus, relu, relu6, relu2, leaky_relu, hardswish, linear",
      );
  }
}

function relu6(g: GraphBuilder, x: Value): Value {
  return g.clip(x, g.numbers([0]), g.numbers([6]));
}

/** A normal distribution's cumulative function, close to relu² at its middle (https://arxiv.org/abs/2209.10655). */
function laplace(g: GraphBuilder, x: Value): Value {
  const [mean, deviation] = [Math.SQRT1_2, Math.sqrt(1 / (4 * Math.PI))];
  const standard = g.mul(g.sub(x, g.numbers([mean])), g.numbers([1 / (deviation * Math.SQRT2)]));
  return g.mul(g.add(g.erf(standard), g.numbers([1])), g.numbers([0.5]));
}
