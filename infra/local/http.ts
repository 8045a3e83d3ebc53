/**
 * Parts of `node:http`. An import of that from an ES module reads all its exports, which loads a fetch
 * client: 50 ms of CPU time in each process and thread.
 */
export const { createServer, request } = process.getBuiltinModule('node:http');
