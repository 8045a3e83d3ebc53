import { afterAll, beforeAll } from 'vitest';
import { expectNoSentTextsLogged, startLog } from './logs.ts';

// Setup file of all tests with servers: the log of each file must not contain any value sent.
beforeAll(startLog);
afterAll(expectNoSentTextsLogged);
