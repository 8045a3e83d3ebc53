import { beforeAll, describe, expect, test } from 'vitest';
import { ENVIRONMENT } from '../../shared/environment.ts';
import { create, eventually, isLocal, newMerchant, useApi } from '../support/api.ts';
import { expectProblem } from '../support/problem.ts';

useApi();

describe.runIf(isLocal)('Without public registers', () => {
  beforeAll(() => {
    // The function reads these variables on its first call.
    for (const name of ['bolagsverket', 'brreg', 'prh'] as const) {
      delete process.env[ENVIRONMENT[name]];
    }
  });

  test.each(['559987-6546', '999990010', '9999001-5'])(
    'Without public registers, searchByOrgNumber finds only own customers by %s',
    async (number) => {
      const merchant = await newMerchant();
      const path = `/customers/searchByOrgNumber/${number}`;
      expectProblem(await merchant.call('GET', path), 404);
      await create(merchant, { name: 'Egen AB', companyno: number });
      await eventually(async () => {
        const { body, headers } = await merchant.call('GET', path);
        expect(body.company).toBe('Egen AB');
        expect(headers.get('register-source')).toBe('own');
      });
    },
  );
});
