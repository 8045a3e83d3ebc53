import * as v from 'valibot';
import { checked, single } from '../shared/http/validation.ts';

const EXPORT_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Path parameter with the id of a long export. */
export const exportIdParameter = single(() =>
  v.pipe(
    v.string(),
    checked((text) => EXPORT_ID.test(text), 'must be the id of an export, a UUID', {
      format: 'uuid',
      pattern: EXPORT_ID.source,
    }),
  ),
);
