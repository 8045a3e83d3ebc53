// Replaces node:fs/promises in the bundles, where only the SDK's reader of configuration files imports
// it. Lambda has no such files, and looking for them takes a twentieth of a cold start.
module.exports = {
  readFile: async (path) => {
    throw Object.assign(new Error(`A function has no file ${path}`), { code: 'ENOENT' });
  },
};
