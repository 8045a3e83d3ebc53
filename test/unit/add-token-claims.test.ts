import type { PreTokenGenerationV2TriggerEvent as TokenEvent } from 'aws-lambda';
import { afterEach, expect, test, vi } from 'vitest';
import { handler } from '../../functions/add-token-claims/handler.ts';

function eventOf(userAttributes: Record<string, string>, groups?: string[]): TokenEvent {
  return {
    version: '2',
    triggerSource: 'TokenGeneration_Authentication',
    region: 'eu-north-1',
    userPoolId: 'eu-north-1_pool',
    userName: 'shop',
    callerContext: { awsSdkVersion: '1', clientId: 'client' },
    request: { userAttributes, groupConfiguration: { groupsToOverride: groups } },
    response: { claimsAndScopeOverrideDetails: {} },
  };
}

afterEach(() => vi.unstubAllEnvs());

test('The access token contains the merchant and the scopes', async () => {
  const { response } = await handler(eventOf({ sub: 'id', 'custom:merchant_id': '1001' }));
  expect(response.claimsAndScopeOverrideDetails).toEqual({
    accessTokenGeneration: {
      claimsToAddOrOverride: { merchant_id: '1001' },
      scopesToAdd: ['customers:read', 'customers:write'],
    },
  });
});

test('The environment variable MERCHANT_CLAIM sets the name of the claim', async () => {
  vi.stubEnv('MERCHANT_CLAIM', 'shop');
  const { response } = await handler(eventOf({ 'custom:merchant_id': '1001' }));
  const { accessTokenGeneration } = response.claimsAndScopeOverrideDetails;
  expect(accessTokenGeneration?.claimsToAddOrOverride).toEqual({ shop: '1001' });
});

test.each([{}, { 'custom:merchant_id': '' }])(
  'A user with the attributes %o gets no token',
  async (attributes) => {
    await expect(handler(eventOf(attributes))).rejects.toThrow('no merchant');
  },
);

test.each([
  { groups: [], scopes: ['customers:read', 'customers:write'] },
  { groups: ['Staff'], scopes: ['customers:read', 'customers:write'] },
  { groups: ['ReadOnly'], scopes: ['customers:read'] },
  { groups: ['Staff', 'ReadOnly'], scopes: ['customers:read'] },
])('The access token of a user in the groups $groups has the scopes $scopes', async (user) => {
  const event = eventOf({ 'custom:merchant_id': '1001' }, user.groups);
  const { response } = await handler(event);
  expect(response.claimsAndScopeOverrideDetails).toEqual({
    accessTokenGeneration: {
      claimsToAddOrOverride: { merchant_id: '1001' },
      scopesToAdd: user.scopes,
    },
  });
});
