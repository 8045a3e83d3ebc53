import { jsonMembers } from '../../shared/formats/json.ts';
import { api, jsonText } from '../../shared/http/api.ts';
import { createChangesToken, readChangesToken } from '../../shared/http/changes-token.ts';
import { positionBeforeLoad } from '../../shared/storage/change-log.ts';
import { type Change, listChanges } from '../../shared/storage/list-changes.ts';
import { request } from './contract.ts';

/**
 * GET /customers/changes: returns which customers were created, updated or deleted since a token, with
 * the customers as they are now.
 */
export const handler = api(request).handler(async (event, { merchantId }) => {
  const { after, limit, fields } = event.queryStringParameters;
  if (after === undefined) {
    const next = await positionBeforeLoad(merchantId);
    return jsonText(toJson([], createChangesToken(merchantId, next), false));
  }
  const position = readChangesToken(merchantId, after);
  const format = isIdOnly(fields) ? undefined : jsonMembers(fields);
  const { changes, next, more } = await listChanges(merchantId, position, limit, format);
  return jsonText(toJson(changes, createChangesToken(merchantId, next), more));
});

function isIdOnly(fields: ReadonlySet<string> | undefined): boolean {
  return fields?.size === 1 && fields.has('mexcParamvaluesetsid');
}

/** Customers are serialized already. */
function toJson(changes: readonly Change[], next: string, more: boolean): string {
  const list = changes.map(({ kind, id, atMs, row }) => {
    const time = new Date(atMs).toISOString();
    const members = `"change":"${kind}","mexcParamvaluesetsid":${id},"time":"${time}"`;
    return `{${members}${row ? `,${row}` : ''}}`;
  });
  return `{"changes":[${list.join(',')}],"next":"${next}","more":${more}}`;
}
