import { XML_TYPE, xml } from '../../shared/formats/xml.ts';
import { exportByIdsHandler } from '../export-by-ids-handler.ts';
import { request } from './contract.ts';

/** POST /customers/export/xml: exports the customers with these ids as an XML file. */
export const handler = exportByIdsHandler(request, XML_TYPE, xml);
