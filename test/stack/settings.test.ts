import { expect, test } from 'vitest';
import { readSettings } from '../../infra/settings.ts';
import { createApp } from '../support/synthesize.ts';

test.each([
  [{ stage: 'Prod' }, 'Context stage: "Prod" is not'],
  [{ stage: 'production' }, 'the production stage is prod'],
  [{ issuer: 'http://login.example.com', audience: 'a' }, 'Context issuer: '],
  [{ issuer: 'https://login.example.com' }, 'give both'],
  [{ audience: 'a' }, 'give both'],
  [{ issuer: 'https://login.example.com', audience: 'a, b' }, 'Context audience: "a, b" is not'],
  [{ merchantClaim: 'merchant id' }, 'Context merchantClaim: '],
  [{ alarmTopicArn: 'alarms' }, 'Context alarmTopicArn: '],
  [{ registers: 'SE,DK' }, 'Context registers: "SE,DK" is not SE, NO or FI'],
  [{ brregAddress: 'http://data.brreg.no' }, 'Context brregAddress: '],
  [{ prhAddress: 'https://avoindata.prh.fi/' }, 'Context prhAddress: '],
  [{ bolagsverketSecret: 'a b' }, 'Context bolagsverketSecret: '],
  [{ companyCacheDays: '0' }, 'Context companyCacheDays: '],
])('synthesis rejects the context %o', (context, message) => {
  expect(() => readSettings(createApp(context).node)).toThrow(message);
});
