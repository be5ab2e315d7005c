import "./to-be-allclose.js";
