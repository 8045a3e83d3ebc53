import type { SystemFields } from '../domain/customer.ts';
import { claimNames } from '../environment.ts';
import type { HttpEvent } from './event.ts';

/** Returns the module and the service that the token says the customer belongs to. */
export function referencesIn({
  requestContext,
}: HttpEvent): Pick<SystemFields, 'mexcModulesid' | 'mm3servicesid'> {
  const { claims } = requestContext.authorizer.jwt;
  const { service, module } = claimNames();
  // 0 is how the API responds that there is none, and is not stored.
  const integer = (claim: unknown) =>
    (/^\d{1,15}$/.test(String(claim)) && Number(claim)) || undefined;
  const mm3servicesid = integer(claims[service]);
  const mexcModulesid = integer(claims[module]);
  return {
    ...(mm3servicesid !== undefined && { mm3servicesid }),
    ...(mexcModulesid !== undefined && { mexcModulesid }),
  };
}
