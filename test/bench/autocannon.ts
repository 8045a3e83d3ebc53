// The load generator is a package of this folder; `test/load` takes it from here.

export { default as autocannon, type Options, type Result } from 'autocannon';
