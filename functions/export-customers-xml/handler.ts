import { XML_TYPE, xml } from '../../shared/formats/xml.ts';
import { exportByFilterHandler } from '../export-by-filter-handler.ts';
import { request } from './contract.ts';

/** GET /customers/export/xml: exports all customers that meet the filters as an XML file. */
export const handler = exportByFilterHandler(request, XML_TYPE, xml);
