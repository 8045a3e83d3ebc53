import { exportByIds } from '../../shared/exports/create-export.ts';
import { XML_TYPE, xml } from '../../shared/formats/xml.ts';
import { api } from '../../shared/http/api.ts';
import { fileResponse } from '../export-responses.ts';
import { request } from './contract.ts';

/** POST /customers/export/xml: exports the customers with these ids as an XML file. */
export const handler = api(request, { produces: ['application/json', XML_TYPE] }).handler(
  async (event, context) => {
    const file = await exportByIds(context.merchantId, event.body, xml());
    return fileResponse(file, XML_TYPE, context);
  },
);
