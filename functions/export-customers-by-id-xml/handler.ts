import { XML_TYPE } from '../../shared/formats/xml.ts';
import { api } from '../../shared/http/api.ts';
import { exportByIdsResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** POST /customers/export/xml: exports the customers with these ids as an XML file. */
export const handler = api(request, { produces: ['application/json', XML_TYPE] }).handler(
  (event, context) => exportByIdsResponse({ name: 'xml' }, event.body, context),
);
