import type { StageSettings } from './stage-settings.ts';

/**
 * The settings of each stage. What a deployment is given is written here and nowhere else, so that
 * a later deployment does not undo it. Secrets are named here; their values are in Secrets Manager.
 *
 * `stage-settings.ts` explains each setting. `prod` requires `env`, `identity` and an alarm target.
 *
 * @example
 * prod: {
 *   env: { account: '111122223333', region: 'eu-north-1' },
 *   identity: { kind: 'issuer', issuer: 'https://login.example.com/', audience: ['customers'] },
 *   alarmEmail: 'on-call@example.com',
 *   reserveExports: 25,
 *   registers: { countries: ['SE', 'NO'] },
 * },
 */
export const STAGES: Readonly<Record<string, StageSettings>> = {
  dev: {},
};

/** The settings of any other stage, which is deployed to try something and deleted again. */
export const DEFAULTS: StageSettings = {};
