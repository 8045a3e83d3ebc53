// In the bundles only the reader of the SDK's configuration files imports this. Lambda has none,
// and looking for them takes a twentieth of a cold start.
module.exports = {
  readFile: async (path) => {
    throw Object.assign(new Error(`A function has no file ${path}`), { code: 'ENOENT' });
  },
};
