import type { PreTokenGenerationV2TriggerEvent as TokenEvent } from 'aws-lambda';
import { claimNames, MERCHANT_ATTRIBUTE } from '../../shared/environment.ts';
import { SCOPES } from '../../shared/http/contract.ts';

/**
 * Cognito's trigger before it issues tokens: puts the user's merchant and the API's scopes into the
 * access token.
 *
 * @throws Error for a user without a merchant, who then gets no token.
 */
export async function handler(event: TokenEvent): Promise<TokenEvent> {
  const merchant = event.request.userAttributes[`custom:${MERCHANT_ATTRIBUTE}`];
  if (!merchant) throw new Error('This user belongs to no merchant.');
  event.response = {
    claimsAndScopeOverrideDetails: {
      accessTokenGeneration: {
        claimsToAddOrOverride: { [claimNames().merchant]: merchant },
        scopesToAdd: [...SCOPES],
      },
    },
  };
  return event;
}
