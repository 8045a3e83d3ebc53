import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import { claimNames } from '../environment.ts';
import type { HttpEvent } from './event.ts';
import { Problem } from './problem-details.ts';

/** Lambda's context with the merchant whose customers a request is about. */
export interface MerchantContext extends Context {
  merchantId: string;
}

/** A merchant's id becomes part of keys and paths, and so has none of their separators. */
const MERCHANT_ID = /^(?!\.\.?$)[A-Za-z0-9_.-]{1,64}$/;

/**
 * Middleware that puts the merchant into the context: a claim of the token that API Gateway has
 * verified, and nothing else. Responds 403 if the token names no merchant.
 */
export function merchantContext(): MiddlewareObj<HttpEvent, unknown, Error, MerchantContext> {
  return {
    before: ({ event, context }) => {
      const { merchant: name } = claimNames();
      const merchantId = event.requestContext.authorizer.jwt.claims[name];
      if (typeof merchantId !== 'string' || !MERCHANT_ID.test(merchantId)) {
        throw new Problem(
          403,
          `The token's claim ${name} must name a merchant: 1 to 64 of A-Z, a-z, 0-9, _, . and -.`,
        );
      }
      context.merchantId = merchantId;
    },
  };
}
