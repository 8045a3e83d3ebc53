import type { PreTokenGenerationV2TriggerEvent as TokenEvent } from 'aws-lambda';
import { claimNames, MERCHANT_ATTRIBUTE, READ_ONLY_GROUP } from '../../shared/environment.ts';
import { SCOPES } from '../../shared/http/contract.ts';

const READ_SCOPES = SCOPES.filter((scope) => scope === 'customers:read');

/**
 * Cognito's trigger before it issues tokens: puts the user's merchant and scopes into the access token.
 * The scopes are all of the API's, or that for reading if the user is in the group `ReadOnly`.
 *
 * @throws Error for a user without a merchant, who then gets no token.
 */
export async function handler(event: TokenEvent): Promise<TokenEvent> {
  const merchant = event.request.userAttributes[`custom:${MERCHANT_ATTRIBUTE}`];
  if (!merchant) throw new Error('This user belongs to no merchant.');
  const { groupsToOverride: groups = [] } = event.request.groupConfiguration;
  const isReadOnly = groups.includes(READ_ONLY_GROUP);
  event.response = {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: {
        claimsToAddOrOverride: { [claimNames().merchant]: merchant },
        scopesToAdd: [...(isReadOnly ? READ_SCOPES : SCOPES)],
      },
    },
  };
  return event;
}
