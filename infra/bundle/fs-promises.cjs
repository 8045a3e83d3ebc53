// Only the reader of the SDK's configuration files imports this, which Lambda has none of.
module.exports = {
  readFile: (...args) => process.getBuiltinModule('node:fs/promises').readFile(...args),
};
