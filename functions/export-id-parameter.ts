import { uuidParameter } from '../shared/http/uuid-parameter.ts';

/** Path parameter with the id of a long export. */
export const exportIdParameter = uuidParameter('an export');
