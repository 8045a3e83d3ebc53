import { afterAll, beforeAll } from 'vitest';
import { expectNoTextsLogged, startLog } from './logs.ts';

// Setup file of all tests with servers: whatever a file's tests make the functions log, no value
// that they have sent is in it.
beforeAll(startLog);
afterAll(expectNoTextsLogged);
