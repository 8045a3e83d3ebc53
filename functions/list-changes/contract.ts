import * as v from 'valibot';
import { DEFAULT_CHANGES, MAX_CHANGES } from '../../shared/domain/limits.ts';
import { defineContract } from '../../shared/http/contract.ts';
import {
  FIELDS_DESCRIPTION,
  FIELDS_EXAMPLE,
  fieldsParameter,
} from '../../shared/http/fields-parameter.ts';
import { customerId, object, ref, text, time } from '../../shared/http/json-schema.ts';
import { integer, type RequestSchemas, single } from '../../shared/http/validation.ts';

export const request = {
  query: {
    after: single(() => v.string()),
    limit: single(() => integer(1, MAX_CHANGES), DEFAULT_CHANGES),
    fields: fieldsParameter,
  },
} satisfies RequestSchemas;

export const contract = () =>
  defineContract({
    method: 'GET',
    path: '/customers/changes',
    scope: 'customers:read',
    table: { actions: ['GetItem', 'Query', 'BatchGetItem'] },
    environment: ['cursorSecret', 'changesDays', 'changesEpoch'],
    summary: 'List what changed since a token',
    request,
    parameters: {
      after: [
        'Token from next of the page before, or from changesFrom of an export. Without it the ' +
          'response has no changes, and the token from which to follow them.',
        'hA0XyC0cTgGkUeqkZ1Yw8jAuNDIuMC4xNzY5ODUwMDAxMDIw',
      ],
      limit: [
        'Maximum changes of the page. A page can have fewer: a customer that changed several times ' +
          'is there once, and large customers fill a page sooner. more says whether others follow.',
        10,
      ],
      fields: [
        `${FIELDS_DESCRIPTION} mexcParamvaluesetsid alone leaves customer and etag out; change then ` +
          'says what happened, and not what is.',
        FIELDS_EXAMPLE,
      ],
    },
    responses: {
      200: {
        description: 'The changes, in the order of the last change of each customer.',
        schema: ref('Changes'),
      },
    },
    errors: {
      410: [
        'Changes after this token are no longer kept. Load all customers again.',
        '/problems/changes-expired',
      ],
    },
    schemas: {
      Changes: object({
        changes: {
          type: 'array',
          items: ref('Change'),
          description: 'Each customer once, in the order of its last change.',
        },
        next: text({ description: 'Token of the next page: the value of its `after`.' }),
        more: {
          type: 'boolean',
          description: 'Whether the next page has changes already. If not, poll it later.',
        },
      }),
      Change: object(
        {
          change: text({
            enum: ['created', 'updated', 'deleted'],
            description:
              'What happened. A change can come more than once: store a customer that is created ' +
              'or updated, and ignore the deletion of an unknown one.',
          }),
          mexcParamvaluesetsid: customerId({ description: "The customer's id." }),
          time: time({ description: 'When the change was recorded.' }),
          customer: {
            ...ref('Customer'),
            description: 'The customer as it is now; not of one that is deleted.',
          },
          etag: text({ description: "Entity tag of the customer's version." }),
        },
        ['change', 'mexcParamvaluesetsid', 'time'],
      ),
    },
  });
