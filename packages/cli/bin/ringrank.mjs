#!/usr/bin/env node
// Not built, since an install links what is there: with a file of dist, `npx ringrank` would be unknown in a fresh
// clone.
import "../dist/main.js";
