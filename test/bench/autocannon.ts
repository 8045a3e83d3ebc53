// The load generator is a dependency of this folder's package; `test/load` imports it from here.

export { default as autocannon, type Options, type Result } from 'autocannon';
