import { XML_TYPE } from '../../shared/formats/xml.ts';
import { api } from '../../shared/http/api.ts';
import { filterOfQuery } from '../../shared/http/filter-parameters.ts';
import { filteredExportResponses } from '../export-responses.ts';
import { request } from './contract.ts';

const respond = filteredExportResponses();

/** GET /customers/export/xml: exports all customers that meet the filters as an XML file. */
export const handler = api(request, { produces: ['application/json', XML_TYPE] }).handler(
  (event, context) => respond({ name: 'xml' }, filterOfQuery(event.queryStringParameters), context),
);
